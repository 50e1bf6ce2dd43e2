import type { Finding } from '../../core/finding.ts'
import { Secret } from '../../core/secret.ts'
import { joinWords } from '../../core/text.ts'
import type { Host } from '../../host/host.ts'
import { isPhpFpm, ourUser, tellConfiguration } from '../../php/php-fpm.ts'
import type { Plan } from '../../plan/plan.ts'
import type { PhpCheck } from '../home.ts'

/** The files are read by the user that php-sessions runs as. */
export const OUR_USER: PhpCheck = { group: undefined, findings: [] }
const LIMIT_SECONDS = 10

/** The group that a server gives its workers: its number, if there is such a group, and its name for people. */
interface Group {
  readonly gid: number | undefined
  readonly name: string
}

/**
 * Finds the group of the workers that a command starts. A server that root starts gives its workers another user.
 *
 * The server's master reads the ini, but each worker reads the managed handler's credentials and a client's key. These
 * files stay root's, since root runs what is in them, too: workers may read them, but not write them.
 */
export function findWorkers(
  host: Host,
  command: readonly string[],
  { files }: Pick<Plan, 'files'>,
): PhpCheck {
  const isNeeded = files.some(({ text }) => text instanceof Secret) && ourUser(host) === 0
  if (!isNeeded || isPhp(command)) return OUR_USER
  const fpm = fpmIn(command)
  if (fpm !== undefined && fpm.length > 0) return workersOf('php-fpm', groupsOfPools(host, fpm))
  if (isApache(command)) return workersOf('Apache', groupsOfApache(host))
  return { group: undefined, findings: [unknown(`the command ${command[0]} does not say`)] }
}

/** The part of a command that starts php-fpm; empty if it starts another server, undefined where it does not say. */
export function fpmIn(command: readonly string[]): readonly string[] | undefined {
  const fpm = command.findIndex(isPhpFpm)
  if (fpm !== -1) return command.slice(fpm)
  return isPhp(command) || isApache(command) ? [] : undefined
}

function isPhp([file = '']: readonly string[]): boolean {
  return /(^|\/)php[0-9.]*$/.test(file)
}

function isApache(command: readonly string[]): boolean {
  return command.some((word) => /(^|\/)(apache2-foreground|apache2ctl|apachectl|apache2|httpd)$/.test(word))
}

function workersOf(server: string, groups: readonly Group[]): PhpCheck {
  const [first] = groups
  const names = [...new Set(groups.map(({ name }) => name))]
  if (first === undefined) return failed(`${server} does not name one`)
  if (groups.some(({ gid }) => gid !== first.gid))
    return failed(`the pools of ${server} have several groups: ${joinWords(names, 'and')}`)
  if (first.gid === undefined) return failed(`${server} names one that does not exist: ${first.name}`)
  return { group: first.gid, findings: [] }
}

function failed(why: string): PhpCheck {
  return { group: undefined, findings: [{ ...unknown(why), level: 'error' }] }
}

/** A warning, since whatever else root starts may stay root. */
function unknown(why: string): Finding {
  return {
    id: 'exec.workers',
    level: 'warn',
    title: `only root can read the credentials, because the group of PHP's workers is not known: ${why}`,
    from: 'the command after --',
    fix: 'run the container as the user of the workers (USER www-data in the Dockerfile), or run php-fpm itself under exec, with one group for all pools',
  }
}

/** A pool without a group has that of its user. php-fpm may print each line twice. */
function groupsOfPools(host: Host, command: readonly string[]): readonly Group[] {
  const told = tellConfiguration(host, command, LIMIT_SECONDS)
  const lines = [...told.matchAll(/NOTICE:\s+(user|group) = (.+)$/gm)]
    .map(([, key, value = '']) => ({ key, value }))
    .filter(({ key, value }, i, all) => key !== all[i - 1]?.key || value !== all[i - 1]?.value)
  return lines.flatMap(({ key, value: user }, i): readonly Group[] => {
    if (key !== 'user') return []
    const next = lines[i + 1]
    return next?.key === 'group' && next.value !== UNDEFINED
      ? [groupNamed(host, next.value)]
      : [{ gid: primaryGroup(host, user), name: `the group of ${user}` }]
  })
}

/** What php-fpm prints for a setting that is not there. A pool has no user where php-fpm is told to stay root. */
const UNDEFINED = 'undefined'

/** The group with which the images of PHP and the distributions start Apache. */
function groupsOfApache(host: Host): readonly Group[] {
  const names = [host.env.APACHE_RUN_GROUP?.replace(/^#/, ''), 'www-data', 'apache']
  const groups = names.flatMap((name) => (name === undefined ? [] : [groupNamed(host, name)]))
  return groups.filter(({ gid }) => gid !== undefined).slice(0, 1)
}

function groupNamed(host: Host, name: string): Group {
  return { gid: isNumber(name) ? Number(name) : numberIn(entryOf(host, '/etc/group', 0, name)?.[2]), name }
}

function primaryGroup(host: Host, user: string): number | undefined {
  if (user === UNDEFINED) return 0
  return numberIn(entryOf(host, '/etc/passwd', isNumber(user) ? 2 : 0, user)?.[3])
}

/** The fields of the line that has this value in this field. */
function entryOf(host: Host, file: string, field: number, value: string): readonly string[] | undefined {
  const lines = (host.readBytes(file) ?? '').split('\n').map((line) => line.split(':'))
  return lines.find((fields) => fields[field] === value)
}

function isNumber(text: string): boolean {
  return /^[0-9]+$/.test(text)
}

function numberIn(text: string | undefined): number | undefined {
  return text === undefined || !isNumber(text) ? undefined : Number(text)
}
