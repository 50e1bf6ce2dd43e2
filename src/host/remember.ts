import type { FileSearch, Host } from './host.ts'

/** A host that makes each search only once, for as long as nothing is written: several rules look for the same files. */
export function rememberSearches(host: Host): Host {
  const found = new Map<string, readonly string[]>()
  const findFiles = (directories: readonly string[], search: FileSearch) => {
    const key = JSON.stringify([directories, search])
    const files = found.get(key) ?? host.findFiles(directories, search)
    found.set(key, files)
    return files
  }
  return { ...host, findFiles }
}
