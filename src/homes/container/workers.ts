import type { Finding } from '../../core/finding.ts'
import { Secret } from '../../core/secret.ts'
import { joinWords } from '../../core/text.ts'
import type { Host } from '../../host/host.ts'
import { tellConfiguration } from '../../php/php-fpm.ts'
import type { Plan } from '../../plan/plan.ts'
import type { PhpCheck } from '../home.ts'

/** The files are read by the user that php-sessions runs as. */
export const OUR_USER: PhpCheck = { owner: undefined, findings: [] }
const LIMIT_SECONDS = 10

/**
 * Finds the user of the workers that a command starts. A server that root starts gives its workers another user.
 *
 * The server's master reads the ini, but each worker reads the managed handler's credentials and a client's key.
 */
export function findWorkers(
  host: Host,
  command: readonly string[],
  { files }: Pick<Plan, 'files'>,
): PhpCheck {
  const isNeeded = files.some(({ text }) => text instanceof Secret) && isRoot(host)
  if (!isNeeded || isPhp(command)) return OUR_USER
  const fpm = fpmIn(command)
  if (fpm !== undefined && fpm.length > 0) return workersOf(host, 'php-fpm', usersOfPools(host, fpm))
  if (isApache(command)) return workersOf(host, 'Apache', [userOfApache(host)])
  return { owner: undefined, findings: [unknown(`the command ${command[0]} does not say`)] }
}

/** The part of a command that starts php-fpm; empty if it starts another server, undefined where it does not say. */
export function fpmIn(command: readonly string[]): readonly string[] | undefined {
  const fpm = command.findIndex((word) => /(^|\/)php-fpm[0-9.]*$/.test(word))
  if (fpm !== -1) return command.slice(fpm)
  return isPhp(command) || isApache(command) ? [] : undefined
}

function isPhp([file = '']: readonly string[]): boolean {
  return /(^|\/)php[0-9.]*$/.test(file)
}

function isApache(command: readonly string[]): boolean {
  return command.some((word) => /(^|\/)(apache2-foreground|apache2ctl|apachectl|apache2|httpd)$/.test(word))
}

function workersOf(host: Host, server: string, users: readonly (string | undefined)[]): PhpCheck {
  const [user, ...others] = [...new Set(users)]
  const uid = user === undefined ? undefined : userNumber(host, user)
  if (others.length > 0)
    return failed(`the pools of ${server} have several users: ${joinWords(users.map(String), 'and')}`)
  if (uid === undefined)
    return failed(`${server} does not name one${user === undefined ? '' : `: there is no ${user}`}`)
  return { owner: uid, findings: [] }
}

function failed(why: string): PhpCheck {
  return { owner: undefined, findings: [{ ...unknown(why), level: 'error' }] }
}

/** A warning, since whatever else root starts may stay root. */
function unknown(why: string): Finding {
  return {
    id: 'exec.workers',
    level: 'warn',
    title: `only root can read the credentials, because the user of PHP's workers is not known: ${why}`,
    from: 'the command after --',
    fix: 'run the container as the user of the workers (USER www-data in the Dockerfile), or run php-fpm itself under exec, with one user for all pools',
  }
}

function isRoot(host: Host): boolean {
  return /^Uid:\s+\d+\s+0\s/m.test(host.readFile('/proc/self/status') ?? '')
}

function usersOfPools(host: Host, command: readonly string[]): readonly string[] {
  const told = tellConfiguration(host, command, LIMIT_SECONDS)
  return [...told.matchAll(/NOTICE:\s+user = (.+)$/gm)].map(([, user = '']) => user)
}

/** The user with which the images of PHP and the distributions start Apache. */
function userOfApache(host: Host): string | undefined {
  const names = [host.env.APACHE_RUN_USER?.replace(/^#/, ''), 'www-data', 'apache']
  return names.find((name) => name !== undefined && userNumber(host, name) !== undefined)
}

function userNumber(host: Host, user: string): number | undefined {
  if (/^[0-9]+$/.test(user)) return Number(user)
  // php-fpm says so where it is told to stay root.
  if (user === 'undefined') return 0
  const lines = (host.readBytes('/etc/passwd') ?? '').split('\n').map((line) => line.split(':'))
  const uid = lines.find(([name]) => name === user)?.[2]
  return uid === undefined ? undefined : Number(uid)
}
