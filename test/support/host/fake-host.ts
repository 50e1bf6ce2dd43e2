import type { Host, Program, ProgramResult } from '../../../src/host/host.ts'

/** A host whose world is a few values, for tests of what a command says and writes. */
export interface FakeHost extends Host {
  readonly files: Map<string, string>
  readonly modes: Map<string, number>
  /** The groups that files were given to. */
  readonly groups: Map<string, number>
  /** What `realPath` gives for a path, where that is another one. */
  readonly links: Map<string, string>
  /** Modes and users of files and directories that are not 0644, 0755 and root's. */
  readonly statuses: Map<string, { readonly mode?: number; readonly uid?: number; readonly device?: number }>
  /** Those that were made and not removed, with their modes. */
  readonly directories: Map<string, number>
  readonly output: { out: string; err: string }
  /** What was run before us and the terminal. */
  readonly supervised: {
    command: readonly string[]
    env: Readonly<Record<string, string>>
    watcher?: readonly string[]
  }[]
  /** The signals that were sent, as `SIGNAL pid`. */
  readonly sent: string[]
}

/**
 * Makes a host with these files (path to text) and this environment; directories are what files are in.
 * `answer` stands for the programs that it runs; there is none of them otherwise.
 */
export function fakeHost(
  env: Record<string, string> = {},
  given: Readonly<Record<string, string>> = {},
  answer: (command: Program) => ProgramResult = () => ({ status: 127, stdout: '' }),
): FakeHost {
  const files = new Map(Object.entries(given))
  const modes = new Map<string, number>()
  const directories = new Map<string, number>()
  const supervised: FakeHost['supervised'] = []
  const sent: string[] = []
  const output = { out: '', err: '' }
  const groups = new Map<string, number>()
  const write = (path: string, text: string, mode: number, group?: number) => {
    files.set(path, text)
    modes.set(path, mode)
    if (group !== undefined) groups.set(path, group)
  }
  const links: FakeHost['links'] = new Map()
  const statuses: FakeHost['statuses'] = new Map()
  const inside = (path: string) => [...files.keys()].filter((file) => file.startsWith(`${path}/`))
  return {
    env,
    files,
    modes,
    groups,
    links,
    statuses,
    directories,
    supervised,
    output,
    readFile: (path) => files.get(path),
    readBytes: (path) => files.get(path),
    writeFile: write,
    writeBytes: write,
    removeFile: (path) => void files.delete(path),
    makeDirectory: () => undefined,
    makeNewDirectory: (path, mode) => void directories.set(path, mode),
    removeDirectory: (path) => {
      directories.delete(path)
      for (const file of inside(path)) files.delete(file)
    },
    realPath: (path) => links.get(path) ?? path,
    uniqueWord: () => 'unique',
    listDirectory: (path) =>
      [...new Set(inside(path).map((file) => file.slice(path.length + 1).split('/')[0] ?? ''))].sort(),
    readFiles: (path) => {
      const names = inside(path).map((file) => file.slice(path.length + 1))
      const isOther = (name: string) => /^\.|\//.test(name)
      const shown = names.filter((name) => !isOther(name)).toSorted()
      return {
        texts: Object.fromEntries(
          shown.map((name) => [name, (files.get(`${path}/${name}`) ?? '').replace(/[\r\n]+$/, '')]),
        ),
        others: [...new Set(names.filter(isOther).map((name) => name.split('/')[0] ?? ''))].toSorted(),
      }
    },
    findFiles: (directories, { names, without, deepest, words }) =>
      directories.flatMap(inside).filter((file) => {
        const start = directories.find((directory) => file.startsWith(`${directory}/`)) ?? ''
        const parts = file.slice(start.length + 1).split('/')
        const isAmong = (patterns: readonly string[], name = '') =>
          patterns.some(
            (pattern) => pattern === name || (pattern[0] === '*' && name.endsWith(pattern.slice(1))),
          )
        const text = (files.get(file) ?? '').toLowerCase()
        return (
          parts.length <= deepest &&
          isAmong(names, parts.at(-1)) &&
          !parts.slice(0, -1).some((part) => isAmong(without, part)) &&
          (words.length === 0 || words.some((word) => text.includes(word.toLowerCase())))
        )
      }),
    statusOf: (path) => {
      const isDirectory = path === '/' || inside(path).length > 0
      if (!isDirectory && !files.has(path)) return undefined
      const {
        mode = modes.get(path) ?? (isDirectory ? 0o755 : 0o644),
        uid = 0,
        device = 1,
      } = statuses.get(path) ?? {}
      return { isFile: !isDirectory, isDirectory, mode, uid, device }
    },
    isDirectory: (path) => inside(path).length > 0,
    run: answer,
    holdSignals: () => undefined,
    supervise: (command, more, watcher) => {
      supervised.push({ command, env: more, ...(watcher && { watcher }) })
      return 0
    },
    sent,
    kill: (pid, signal) => sent.push(`${signal} ${pid}`) > 0,
    sleep: () => undefined,
    now: () => 0,
    out: (text) => {
      output.out += text
    },
    err: (text) => {
      output.err += text
    },
    isTerminal: () => false,
    ask: () => undefined,
  }
}
