import { execFileSync } from 'node:child_process'
import {
  DEBIAN13_EXTENSIONS,
  debian13Missing,
  debian13Program,
  type Program,
  type Unavailable,
} from '../debian13.ts'

/** A PHP that runs here. */
export interface InstalledPhp {
  /** The versions that decide about sessions, as it tells them itself. */
  readonly name: string
  /** As in 8.4. */
  readonly version: string
  readonly cli: Program
  readonly fpm: Program
  /** Where its shared extensions are, as NAME.so. */
  readonly extensionDirectory: string
}

// Distributions keep servers where people's PATH does not look, and Debian's has the version in its name.
const FIND_FPM = `PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; command -v php-fpm"$0" || echo php-fpm`

const VERSIONS = `echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION, "\\n", ini_get("extension_dir"), "\\n",
  phpversion("redis") ?: "missing", "\\n", phpversion("memcached") ?: "missing";`

/** The PHP that `php` starts here. */
export function machinePhp(): InstalledPhp {
  const program =
    (file: string): Program =>
    (args, env = process.env) => ({ file, args, env })
  const cli = program('php')
  const told = askVersions(cli)
  const fpm = execFileSync('sh', ['-c', FIND_FPM, told.version], { encoding: 'utf8' }).trim()
  return { ...told, cli, fpm: program(fpm) }
}

/** The PHP of Debian 13 that scripts/debian13 unpacks, or why it is not there. */
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

/** Asks without any ini file, and ignores complaints about extensions that are not there, or there already. */
function askVersions(php: Program) {
  const extensions = ['igbinary', 'msgpack', 'redis', 'memcached'].flatMap((name) => [
    '-d',
    `extension=${name}`,
  ])
  const { file, args, env } = php(['-n', '-d', 'display_errors=0', ...extensions, '-r', VERSIONS])
  const told = execFileSync(file, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  const [version = '', extensionDirectory = '', redis, memcached] = told.split('\n')
  const name = `PHP ${version}, phpredis ${redis}, php-memcached ${memcached}`
  return { name, version, extensionDirectory }
}
