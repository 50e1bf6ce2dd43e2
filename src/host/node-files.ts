import * as fs from 'node:fs'
import { FIND_SECONDS, type FileSearch, type Host, HostError, type NamedText } from './host.ts'

/** The files in a directory, as native/files.c reads them. */
export function readFiles(host: Host, path: string): readonly NamedText[] {
  const names = host.listDirectory(path).filter((name) => !name.startsWith('.'))
  return names.flatMap((name): readonly NamedText[] => {
    try {
      const file = `${path}/${name}`
      const text = host.isDirectory(file) ? undefined : host.readFile(file)
      return text === undefined ? [] : [{ name, text }]
    } catch (error) {
      if (error instanceof HostError) return [{ name, text: error }]
      throw error
    }
  })
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
