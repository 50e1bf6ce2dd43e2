import * as fs from 'node:fs'
import {
  DIRECTORY_BYTES,
  type DirectoryFiles,
  FIND_SECONDS,
  type FileSearch,
  type Host,
  HostError,
  tooLarge,
  tooLargeTogether,
} from './host.ts'

/** What is in a directory, as native/directories.c reads it. */
export function readFiles(host: Host, path: string): DirectoryFiles {
  const texts: Record<string, string> = {}
  const errors: HostError[] = []
  const others: string[] = []
  let left = DIRECTORY_BYTES
  for (const name of host.listDirectory(path)) {
    try {
      const file = `${path}/${name}`
      const isOther = name.startsWith('.') || host.isDirectory(file)
      const bytes = isOther ? undefined : readBytes(host, file)
      if (isOther) others.push(name)
      if (bytes === undefined) continue
      if (bytes.length > left) throw tooLargeTogether(file)
      left -= bytes.length
      texts[name] = withoutLineBreaks(Buffer.from(bytes, 'latin1').toString())
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      errors.push(error)
    }
  }
  return { texts, ...(errors.length > 0 && { errors }), ...(others.length > 0 && { others }) }
}

function readBytes(host: Host, file: string): string | undefined {
  try {
    return host.readBytes(file)
  } catch (error) {
    const isLarge = error instanceof HostError && error.message === tooLarge(file).message
    throw isLarge ? tooLargeTogether(file) : error
  }
}

function withoutLineBreaks(text: string): string {
  let end = text.length
  while (/[\r\n]/.test(text[end - 1] ?? '')) end--
  return text.slice(0, end)
}

/** The search of native/find.c, for Node. */
export function findFiles(directories: readonly string[], search: FileSearch): readonly string[] {
  const walk: Walk = { ...search, end: performance.now() + 1000 * FIND_SECONDS, found: [] }
  for (const directory of directories) visitDirectory(walk, directory, 1, [])
  return walk.found
}

interface Walk extends FileSearch {
  readonly end: number
  readonly found: string[]
}

/** `above` has the directories above this one, as `device:inode`. */
function visitDirectory(walk: Walk, directory: string, depth: number, above: readonly string[]): void {
  const status = orUndefined(() => fs.statSync(directory))
  const identity = `${status?.dev}:${status?.ino}`
  if (status === undefined || above.includes(identity)) return
  for (const entry of orUndefined(() => fs.readdirSync(directory, { withFileTypes: true })) ?? []) {
    if (performance.now() > walk.end) return
    const path = `${directory}/${entry.name}`
    const kind =
      walk.followsLinks && entry.isSymbolicLink()
        ? orUndefined(() => fs.statSync(path))
        : (entry as fs.Dirent)
    if (kind?.isDirectory() && depth < walk.deepest && !isAmong(walk.without, entry.name))
      visitDirectory(walk, path, depth + 1, [...above, identity])
    else if (kind?.isFile() && isAmong(walk.names, entry.name) && isWanted(walk, path)) walk.found.push(path)
  }
}

function isAmong(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) =>
    pattern.startsWith('*') ? name.endsWith(pattern.slice(1)) : name === pattern,
  )
}

function isWanted({ largest, words }: FileSearch, path: string): boolean {
  const status = orUndefined(() => fs.statSync(path))
  if (status === undefined || status.size > largest) return false
  const text = words.length === 0 ? '' : orUndefined(() => fs.readFileSync(path, 'latin1'))?.toLowerCase()
  return text !== undefined && (words.length === 0 || words.some((word) => text.includes(word.toLowerCase())))
}

function orUndefined<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}
