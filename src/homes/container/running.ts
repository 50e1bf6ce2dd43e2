import type { Finding } from '../../core/finding.ts'
import { type Host, readIfAllowed } from '../../host/host.ts'
import type { PhpStart } from '../../php/ask.ts'
import { isOfOurUser, parentOf, pidsOf } from '../../php/web/php-fpm.ts'
import { isUnderExec } from './home.ts'
import { phpOf } from './php-of.ts'
import { findStarted } from './started.ts'

/** A container whose command runs under `exec`, as seen by a second process in it. */
export interface Running {
  /** The host with the settings that the command runs with, for php-sessions and for the PHP that it asks. */
  readonly host: Host
  /** Why these settings could not be found. */
  readonly findings: readonly Finding[]
  /** Starts the PHP that belongs to the command of exec; undefined where none was found. */
  readonly php?: PhpStart
}

type Environment = Readonly<Record<string, string>>

/**
 * Finds the settings that run in this container: `docker exec` gives a process the variables of the container, but not
 * those of `exec`.
 *
 * The main process of the container must be `exec`, or its first child must. Only processes of our own user count,
 * because another user could name a directory with their own ini file.
 */
export function findRunning(host: Host): Running {
  if (isUnderExec(host)) return { host, findings: [] }
  const pid = findExec(host)
  if (pid === undefined) return { host, findings: [] }
  if (!isOfOurUser(host, pid)) return { host, findings: [unreadable(host, pid)] }
  const php = phpOf(host, findStarted(host, commandOf(host, pid)))
  const scanned = pidsOf(host)
    .filter((child) => parentOf(host, child) === pid && isOfOurUser(host, child))
    .map((child) => environmentOf(host, child).PHP_INI_SCAN_DIR ?? '')
    .find((path) => isUnderExec({ env: { PHP_INI_SCAN_DIR: path } }))
  // Nothing is bound, or the start has failed: the command runs with the container's own settings.
  if (scanned === undefined) return { host, php, findings: [] }
  const inherited = Object.entries(environmentOf(host, pid)).filter(([name]) => host.env[name] === undefined)
  const env: Environment = { ...Object.fromEntries(inherited), PHP_INI_SCAN_DIR: scanned }
  return {
    host: {
      ...host,
      env: { ...host.env, ...env },
      run: (command) => host.run({ ...command, env: { ...env, ...command.env } }),
    },
    php,
    findings: [],
  }
}

/** What follows `--` in the command line of an exec. */
function commandOf(host: Host, pid: number): readonly string[] {
  const words = (readIfAllowed(host, `/proc/${pid}/cmdline`) ?? '').split('\0')
  return words.slice(words.indexOf('--') + 1).filter((word) => word !== '')
}

/** The process of `php-sessions exec`: the first one, or a child of an init program that is the first one. */
function findExec(host: Host): number | undefined {
  const isExec = (pid: number) => {
    const [program = '', ...args] = (readIfAllowed(host, `/proc/${pid}/cmdline`) ?? '').split('\0')
    const words = /(^|\/)node$/.test(program) ? args : [program, ...args]
    return /(^|\/)php-sessions(\.mjs)?$/.test(words[0] ?? '') && words[1] === 'exec'
  }
  if (isExec(1)) return 1
  return pidsOf(host).find((pid) => parentOf(host, pid) === 1 && isExec(pid))
}

function environmentOf(host: Host, pid: number): Partial<Environment> {
  const lines = (readIfAllowed(host, `/proc/${pid}/environ`) ?? '').split('\0')
  return Object.fromEntries(
    lines
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}

function unreadable(host: Host, pid: number): Finding {
  const user = host.statusOf(`/proc/${pid}`)?.uid
  return {
    id: 'exec.unreadable',
    level: 'error',
    title: `php-sessions exec runs here as user ${user ?? 'unknown'}, and this user cannot read the settings that it made`,
    from: `process ${pid}`,
    fix: `examine it as that user: docker exec -u ${user ?? 'USER'} CONTAINER php-sessions doctor`,
  }
}
