import { execFileSync } from 'node:child_process'
import { DEBIAN13_EXTENSIONS, debian13Missing, debian13Program } from '../debian13.ts'
import type { Program, Unavailable } from '../processes/program.ts'

/** A PHP that runs on this machine. */
export interface InstalledPhp {
  /** PHP's version and those of its session extensions, as it reports them itself. */
  readonly name: string
  /** Such as 8.4. */
  readonly version: string
  readonly cli: Program
  readonly fpm: Program
  /** The directory of its shared extensions, NAME.so. */
  readonly extensionDirectory: string
}

/**
 * For every PHP that is waited for: some versions wait without end where TLS 1.3 is spoken (php-src GH-10495), and a test
 * that waits for a process synchronously cannot be ended by its own limit.
 */
export const PHP_LIMIT = { timeout: 100_000, killSignal: 'SIGKILL' } as const

// Distributions keep servers outside users' PATH, and Debian's name has the version in it.
const FIND_FPM = `PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; command -v php-fpm"$0" || echo php-fpm`

const VERSIONS = `echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION, "\\n", ini_get("extension_dir"), "\\n",
  phpversion("redis") ?: "missing", "\\n", phpversion("memcached") ?: "missing";`

/** The PHP that `php` starts on this machine. */
export function machinePhp(): InstalledPhp {
  const program =
    (file: string): Program =>
    (args, env = process.env) => ({ file, args, env })
  const cli = program('php')
  const versions = askVersions(cli)
  const fpm = execFileSync('sh', ['-c', FIND_FPM, versions.version], { encoding: 'utf8' }).trim()
  return { ...versions, cli, fpm: program(fpm) }
}

/** The PHP of Debian 13 that scripts/debian13 unpacks, or why it cannot be used. */
export function debian13Php(): InstalledPhp | Unavailable {
  const missing = debian13Missing('php', 'php-fpm')
  if (missing !== undefined) return missing
  const program =
    (name: string): Program =>
    (args, env) =>
      debian13Program(name)(['-d', `extension_dir=${DEBIAN13_EXTENSIONS}`, ...args], env)
  const cli = program('php')
  return { ...askVersions(cli), cli, fpm: program('php-fpm') }
}

/** Asks without any ini file, and ignores warnings about extensions that are missing or built in. */
function askVersions(php: Program) {
  const extensions = ['igbinary', 'msgpack', 'redis', 'memcached'].flatMap((name) => [
    '-d',
    `extension=${name}`,
  ])
  const { file, args, env } = php(['-n', '-d', 'display_errors=0', ...extensions, '-r', VERSIONS])
  const printed = execFileSync(file, args, {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    ...PHP_LIMIT,
  })
  const [version = '', extensionDirectory = '', redis, memcached] = printed.split('\n')
  const name = `PHP ${version}, phpredis ${redis}, php-memcached ${memcached}`
  return { name, version, extensionDirectory }
}
