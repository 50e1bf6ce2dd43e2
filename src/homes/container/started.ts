import { type Host, listIfAllowed, readIfAllowed } from '../../host/host.ts'

/** A command that exec's command starts, according to its words and the files that they name. */
export interface Started {
  readonly words: readonly string[]
  /** The command line, or FILE:LINE. */
  readonly from: string
  /** The user that a supervisor starts it as, and its group; undefined for that of the supervisor. */
  readonly user?: string | undefined
  /** Whether it is a line of a shell, where words may precede the program. */
  readonly isLine: boolean
}

/** The command's own words are certain; a line of a script may mean something else. */
export const OF_EXEC = 'the command after --'
/** Where s6-overlay and runit have the scripts of their services. */
const SERVICES = ['/etc/services.d', '/etc/s6-overlay/s6-rc.d', '/etc/service']
const SUPERVISORD = ['/etc/supervisor/supervisord.conf', '/etc/supervisord.conf']

/** Finds all commands that a command may start: its own words, lines of scripts, and programs of supervisors. */
export function findStarted(host: Host, command: readonly string[]): readonly Started[] {
  const own = [{ words: command, from: OF_EXEC, isLine: false }, ...inShell(command, OF_EXEC)]
  const scripts = command.flatMap((word) => scriptAt(host, word))
  const supervised = command.flatMap((word, at) => programsOf(host, nameOf(word), command.slice(at + 1)))
  return [...own, ...scripts, ...supervised]
}

/** The last part of the path of a program. */
export function nameOf(word: string): string {
  return word.slice(word.lastIndexOf('/') + 1)
}

/** Where a program may be: at its path, or in one of the directories in PATH. */
export function pathsOf({ env }: Host, word: string): readonly string[] {
  return word.includes('/') ? [word] : (env.PATH ?? '').split(':').map((directory) => `${directory}/${word}`)
}

/** Splits a line of a shell as far as that can be done without running it. */
export function wordsOf(line: string): readonly string[] {
  return [...line.matchAll(/(?:[^\s"';&|()]+|"[^"]*"|'[^']*')+|[;&|()]/g)].map(([word]) =>
    word.replace(/"([^"]*)"|'([^']*)'/g, '$1$2'),
  )
}

/** The command in the argument of `sh -c` and `su -c`. */
function inShell(words: readonly string[], from: string): readonly Started[] {
  const at = words.findIndex((word) => /^(-[a-z]*c|--command)$/.test(word))
  const line = at < 1 ? undefined : words[at + 1]
  return line?.includes(' ') === true ? splitLines(line, () => from) : []
}

/** The commands in a text of lines, without comments. */
function splitLines(text: string, fromOf: (line: number) => string): readonly Started[] {
  return text.split('\n').flatMap((line, i) =>
    line
      .replace(/(^|\s)#.*/, '')
      .split(/;|&&|\|\|/)
      .map(wordsOf)
      .filter((words) => words.length > 0)
      .flatMap((words) => [{ words, from: fromOf(i + 1), isLine: true }, ...inShell(words, fromOf(i + 1))]),
  )
}

/** Programs whose files contain no commands to read. */
const NO_SCRIPTS = /^(sh|bash|dash|busybox|env|tini|dumb-init|setpriv|su|runuser|gosu|su-exec|php.*)$/

/** The commands of a script that a word names, by its path or in PATH. */
function scriptAt(host: Host, word: string): readonly Started[] {
  if (NO_SCRIPTS.test(nameOf(word))) return []
  for (const path of pathsOf(host, word)) {
    if (host.statusOf(path) === undefined) continue
    const text = readScript(host, path)
    return text === undefined ? [] : splitLines(text, (line) => `${path}:${line}`)
  }
  return []
}

/** The text of a file, unless it is a program of the machine. */
function readScript(host: Host, path: string): string | undefined {
  const text = host.isDirectory(path) ? undefined : readIfAllowed(host, path)
  return text?.startsWith('#!') ? text : undefined
}

function programsOf(host: Host, name: string, args: readonly string[]): readonly Started[] {
  if (name === 's6-svscan' || name === 'runsvdir' || name === 'init') return servicesIn(host, args)
  if (name === 's6-supervise' || name === 'runsv') return scriptAt(host, `${args.at(-1)}/run`)
  if (name !== 'supervisord') return []
  const given = args.findIndex((word) => word === '-c' || word === '--configuration')
  const files = given === -1 ? SUPERVISORD : [args[given + 1] ?? '']
  const file = files.find((path) => readIfAllowed(host, path) !== undefined)
  return file === undefined ? [] : programsIn(host, file)
}

/** The run scripts of s6 and runit. */
function servicesIn(host: Host, args: readonly string[]): readonly Started[] {
  const given = args.filter((word) => word.startsWith('/'))
  return [...given, ...SERVICES].flatMap((directory) =>
    listIfAllowed(host, directory).flatMap((service) => scriptAt(host, `${directory}/${service}/run`)),
  )
}

/** The programs in a configuration of supervisord and in the files that it includes, which include no others. */
function programsIn(host: Host, file: string): readonly Started[] {
  const included = sectionsOf(host, file)
    .filter((section) => section.startsWith('[include]'))
    .flatMap((section) => (settingIn(section, 'files') ?? '').split(/\s+/))
    .map((pattern) => (pattern.startsWith('/') ? pattern : `${directoryOf(file)}/${pattern}`))
    .flatMap((pattern) => filesLike(host, pattern))
  return [file, ...included].flatMap((path) =>
    sectionsOf(host, path).flatMap((section) => programOf(host, section, path)),
  )
}

function programOf(host: Host, section: string, from: string): readonly Started[] {
  const command = /^\[(program|fcgi-program):/.test(section) ? settingIn(section, 'command') : undefined
  if (command === undefined) return []
  const user = settingIn(section, 'user')
  const words = wordsOf(command)
  const lines = [...inShell(words, from), ...scriptAt(host, words[0] ?? '')]
  return [{ words, from, user, isLine: false }, ...lines.map((line) => ({ ...line, user }))]
}

function sectionsOf(host: Host, file: string): readonly string[] {
  return (readIfAllowed(host, file) ?? '').split(/^(?=\[)/m)
}

function settingIn(section: string, name: string): string | undefined {
  return new RegExp(`^${name}\\s*=\\s*(.*?)\\s*$`, 'm').exec(section)?.[1]
}

/** The files whose names fit a pattern, in which only the last part of the path has stars. */
function filesLike(host: Host, pattern: string): readonly string[] {
  const directory = directoryOf(pattern)
  const like = new RegExp(
    `^${nameOf(pattern)
      .replace(/[.+^${}()|[\]\\?]/g, '\\$&')
      .replaceAll('*', '.*')}$`,
  )
  return listIfAllowed(host, directory)
    .filter((name) => like.test(name))
    .map((name) => `${directory}/${name}`)
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}
