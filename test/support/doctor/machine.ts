import { execFile } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Service, vcapServices } from '../../../lab/bindings.ts'
import { writeProgram } from '../../../lab/processes/program.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { PHPS, type PhpUnderTest } from '../php/php.ts'

const EXECUTABLE = join(import.meta.dirname, '../../../dist/php-sessions')
/** Far more than a run takes: this catches hangs. */
const LIMIT_MILLISECONDS = 30_000

/** A machine with an app on it. Each `with…` function returns a changed copy that shares the files. */
export interface Machine {
  readonly directory: string
  /** The directory of ini files that PHP scans. */
  readonly scan: string
  readonly env: Readonly<Record<string, string>>
  readonly executable: string
  /** The user who runs php-sessions there, where it is not the user of the test. */
  readonly uid?: number
}

export interface MachineOptions {
  readonly services?: readonly Service[]
  readonly env?: Readonly<Record<string, string>>
  readonly php?: PhpUnderTest
  /** The extensions that php.ini loads. */
  readonly extensions?: readonly string[]
  /** Whether `php-sessions ini` is run; the default is true. */
  readonly isInstalled?: boolean
  /** The lines of the app's own ini file, which is read last. */
  readonly app?: string
  /** The lines of a pool of php-fpm. */
  readonly pool?: string
}

/** A run of doctor and its result. */
export interface Diagnosis {
  readonly status: number
  readonly out: string
  readonly err: string
  readonly milliseconds: number
  /** The id of the first finding. */
  readonly first: string | undefined
}

/** The settings that protect session ids, and the cookie where no HTTPS is known of, as the doctor wants them. */
const PROTECTED = 'session.use_strict_mode = 1\nsession.cookie_httponly = 1\nsession.cookie_samesite = Lax\n'

/** Sets up a PHP and its ini files as an administrator would, with these services bound. */
export async function makeMachine(options: MachineOptions = {}): Promise<Machine> {
  const php = options.php ?? (PHPS[0]?.[1] as PhpUnderTest)
  const directory = makeScratch('doctor')
  const scan = join(directory, 'conf.d')
  for (const path of ['bin', 'conf.d', 'app', 'etc']) mkdirSync(join(directory, path))
  const extensions = options.extensions ?? ['igbinary', 'msgpack', 'redis', 'memcached']
  writeFileSync(
    join(directory, 'php.ini'),
    `display_errors = Off\n${PROTECTED}${php.loadExtensions(...extensions)}`,
  )
  writeFileSync(join(scan, '99-app.ini'), options.app ?? '')
  writeFileSync(join(directory, 'etc/php-fpm.conf'), fpmConf(options.pool ?? ''))
  writeProgram(join(directory, 'bin/php'), php.php.cli([], {}))
  // php-fpm refuses to run as root without -R.
  const asRoot = process.getuid?.() === 0 ? ['-R'] : []
  writeProgram(
    join(directory, `bin/php-fpm${php.php.version}`),
    php.php.fpm([...asRoot, '-y', join(directory, 'etc/php-fpm.conf')], {}),
  )
  const machine: Machine = {
    directory,
    scan,
    executable: EXECUTABLE,
    env: {
      PATH: `${join(directory, 'bin')}:${process.env.PATH}`,
      PHPRC: directory,
      PHP_INI_SCAN_DIR: scan,
      LANG: 'C.UTF-8',
      VCAP_SERVICES: vcapServices(...(options.services ?? [])),
      ...options.env,
    },
  }
  if (options.isInstalled !== false) await install(machine)
  return machine
}

function fpmConf(lines: string): string {
  return `[global]\nerror_log = /dev/null\n[www]\nlisten = 127.0.0.1:1\npm = static\npm.max_children = 1\nrequest_terminate_timeout = 90s\n${lines}\n`
}

/** The machine with another environment; undefined removes a variable. */
export function withEnv(machine: Machine, env: Readonly<Record<string, string | undefined>>): Machine {
  const all = Object.entries({ ...machine.env, ...env })
  return {
    ...machine,
    env: Object.fromEntries(all.filter(([, value]) => value !== undefined)) as Machine['env'],
  }
}

/** The machine with other services bound; their settings are not written. */
export function withServices(machine: Machine, ...services: readonly Service[]): Machine {
  return withEnv(machine, { VCAP_SERVICES: vcapServices(...services) })
}

/** Writes the settings for the bound service where PHP reads them. A service that cannot be used leaves no file. */
export async function install(
  machine: Machine,
  file: string = join(machine.scan, '00-php-sessions.ini'),
): Promise<void> {
  rmSync(file, { force: true })
  if (machine.env.VCAP_SERVICES !== '{}') await run(machine, ['ini', '--output', file])
}

/** What the plan says of TLS to a PHP that may wait without end in TLS 1.3, such as that of Ubuntu 24.04; it comes first. */
const OF_OLD_PHP = /^! .*\(redis\.tls13\)\n(?: {4}.*\n)*/m

/** Runs the executable's doctor on a machine. */
export async function diagnose(machine: Machine, ...args: readonly string[]): Promise<Diagnosis> {
  const start = Date.now()
  const { status, out: all, err } = await run(machine, ['doctor', ...args])
  const out = all.replace(OF_OLD_PHP, '')
  const first = /^\s*[!✗].*\(([a-z]+\.[a-z-]+)\)$/m.exec(out)?.[1]
  return { status, out, err, milliseconds: Date.now() - start, first }
}

/** Runs the executable on a machine, in the app's directory. */
export function run(
  { directory, env, executable, uid }: Machine,
  args: readonly string[],
): Promise<{ status: number; out: string; err: string }> {
  const options = {
    ...(uid === undefined ? {} : { uid, gid: uid }),
    cwd: join(directory, 'app'),
    env,
    timeout: LIMIT_MILLISECONDS,
    killSignal: 'SIGKILL' as const,
  }
  return new Promise((resolve) => {
    execFile(executable, args, options, (error, out, err) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 137
      resolve({ status, out, err })
    })
  })
}

/** Runs php-sessions as nobody where the test is root, who may write everywhere. */
export function asNobody(machine: Machine): Machine {
  if (process.getuid?.() !== 0) return machine
  chmodSync(machine.directory, 0o755)
  const executable = join(machine.directory, 'php-sessions')
  cpSync(machine.executable, executable)
  return { ...machine, executable, uid: 65534 }
}
