import { DEFAULT_COMMAND } from '../../core/php.ts'
import type { Host } from '../../host/host.ts'
import { LIMIT_SECONDS, type PhpStart, startOf } from '../../php/ask.ts'
import { findApacheModule } from '../../php/web/apache-module.ts'
import { isApache } from './apache.ts'
import { nameOf, OF_EXEC, pathsOf, type Started } from './started.ts'

const SERVER = /^php-(fpm|cgi)[0-9.]*$/
const CLI = /^php[0-9.]*$/

/**
 * The PHP on the command line that can tell how the PHP of a command is set up: the one that it starts, by
 * `findStarted`; the one that belongs to its php-fpm or php-cgi, as php8.4 belongs to php-fpm8.4; or the one that stands for
 * PHP in its Apache. The php in PATH where the command names no other that runs.
 */
export function phpOf(host: Host, started: readonly Started[]): PhpStart {
  const find = (names: RegExp, some: readonly Started[]) =>
    some.flatMap(({ words }) => words).find((word) => names.test(nameOf(word)))
  // A script may run any PHP before it starts the server.
  const own = started.filter(({ from }) => from === OF_EXEC)
  const server = find(SERVER, started)
  const isApacheStarted = server === undefined && started.some(({ words }) => words.some(isApache))
  const module = isApacheStarted ? findApacheModule(host) : undefined
  if (module !== undefined) return module
  const word = server ?? find(CLI, own)
  if (word === undefined) return startOf()
  const name = nameOf(word).replace(/-(fpm|cgi)/, '')
  const directory = word.slice(0, -nameOf(word).length)
  // Without a directory these are the same name.
  const places = [directory, directory.replace(/sbin\/$/, 'bin/')].map((place) => place + name)
  const found = findProgram(host, places)
  const usual = findProgram(host, [DEFAULT_COMMAND])
  if (found === undefined || found.file === usual?.file || !answersAsPhp(host, found.path)) return startOf()
  return startOf(directory === '' ? name : found.path)
}

/** The path of the first of these programs that is there, and its file without links. */
function findProgram(host: Host, programs: readonly string[]) {
  const paths = programs.flatMap((program) => pathsOf(host, program))
  const path = paths.find((one) => host.statusOf(one) !== undefined && !host.isDirectory(one))
  return path === undefined ? undefined : { path, file: host.realPath(path) }
}

/** Whether a program is a PHP that runs here. */
function answersAsPhp(host: Host, file: string): boolean {
  const program = { file, args: ['-n', '-v'], env: {}, stdin: '', keepsStderr: false }
  return host.run({ ...program, limitSeconds: LIMIT_SECONDS }).stdout.startsWith('PHP ')
}
