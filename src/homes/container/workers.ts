import type { Finding, Level } from '../../core/finding.ts'
import { Secret } from '../../core/secret.ts'
import { joinWords } from '../../core/text.ts'
import type { Host } from '../../host/host.ts'
import type { CompletePlan } from '../../php/complete.ts'
import { isPhpFpm, ourUser } from '../../php/web/php-fpm.ts'
import type { PhpCheck } from '../home.ts'
import { type Group, groupNamed, groupOfUser } from './accounts.ts'
import { groupOfApache, isApache } from './apache.ts'
import { type Drop, findClearing, findDrops } from './drops.ts'
import { nameOf, OF_EXEC, type Started } from './started.ts'

/** The files are read by the user that php-sessions runs as. */
export const OUR_USER: PhpCheck = { group: undefined, findings: [] }

type Completed = Pick<CompletePlan, 'plan' | 'facts' | 'pools'>

/**
 * Finds who reads the files for a command that root starts. PHP as a whole may run as another user, which its words or
 * scripts say; then that user reads the ini. A server that root starts gives its workers another user.
 *
 * The files stay root's, since root may run what is in them; others get them by their group, and never for writing.
 */
export function findReaders(
  host: Host,
  command: readonly string[],
  started: readonly Started[],
  completed: Completed,
): PhpCheck {
  const isBound = completed.plan.planned !== undefined
  const cleared = isBound ? started.flatMap(findClearing).slice(0, 1).map(clearedFinding) : []
  const dropped = ourUser(host) === 0 ? whoRunsPhp(host, started) : undefined
  // Without a store there is nothing to warn about; the watcher may still need the group.
  const own = dropped ?? (isBound ? findWorkers(host, serverIn(started) ?? command, completed) : OUR_USER)
  return { ...own, findings: isBound ? [...cleared, ...own.findings] : [] }
}

/** The user that root's command changes to for PHP; undefined where it stays root. */
function whoRunsPhp(host: Host, started: readonly Started[]): PhpCheck | undefined {
  const all = findDrops(host, started)
  const ofPhp = all.filter(({ isOfPhp }) => isOfPhp)
  const drops = ofPhp.length > 0 ? ofPhp : all
  const stranger = drops.find(({ group }) => group === undefined)
  if (stranger !== undefined) return { group: undefined, findings: [unknownUser(stranger)] }
  const [gid, ...others] = new Set(drops.map(({ group }) => group?.gid))
  if (gid === undefined) return undefined
  if (others.length > 0) return { group: undefined, findings: [severalUsers(drops)] }
  return { group: gid, findings: [], readsIni: true }
}

/** The command line of a php-fpm that the command starts, or else of an Apache. */
function serverIn(started: readonly Started[]): readonly string[] | undefined {
  const lines = started.map(({ words }) => words)
  return lines.find((words) => (fpmIn(words)?.length ?? 0) > 0) ?? lines.find((words) => words.some(isApache))
}

/**
 * Finds the group of the workers that a command of root starts. The server's master reads the ini, but each worker
 * reads the managed handler's credentials and a client's key.
 */
export function findWorkers(host: Host, command: readonly string[], { plan, pools }: Completed): PhpCheck {
  const isNeeded = plan.files.some(({ text }) => text instanceof Secret) && ourUser(host) === 0
  if (!isNeeded || isPhp(command)) return OUR_USER
  const fpm = fpmIn(command)
  if (fpm !== undefined && fpm.length > 0) return workersOf('php-fpm', groupsOfPools(host, pools))
  if (command.some(isApache)) return workersOf('Apache', groupOfApache(host, command))
  return { group: undefined, findings: [unknown(`the command ${command[0]} does not name it`)] }
}

/** The part of a command that starts php-fpm; empty if it starts another server, undefined if that is unknown. */
export function fpmIn(command: readonly string[]): readonly string[] | undefined {
  const fpm = command.findIndex(isPhpFpm)
  if (fpm !== -1) return command.slice(fpm)
  return isPhp(command) || command.some(isApache) ? [] : undefined
}

function isPhp([file = '']: readonly string[]): boolean {
  return /^php[0-9.]*$/.test(nameOf(file))
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

/** A pool without a group has that of its user; without a user php-fpm is told to stay root. */
function groupsOfPools(host: Host, all: CompletePlan['pools']): readonly Group[] {
  const lines = all.filter(({ kind }) => kind === '')
  const pools = [...new Set(lines.filter(({ name }) => name === 'listen').map(({ pool }) => pool))]
  return pools.map((pool) => {
    const settingNamed = (wanted: string) =>
      lines.findLast(({ pool: of, name }) => of === pool && name === wanted)?.value
    const [user, group] = [settingNamed('user'), settingNamed('group')]
    if (group !== undefined && group !== '') return groupNamed(host, group)
    return user === undefined ? { gid: 0, name: 'root' } : groupOfUser(host, user)
  })
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

/** The command of exec certainly runs; a line of a script may be for something else. */
function levelOf(from: string): Level {
  return from.endsWith(OF_EXEC) ? 'error' : 'warn'
}

const AFTER_THE_DROP =
  'put php-sessions exec -- behind the program that changes the user, directly before PHP'

function unknownUser({ user, from }: Drop): Finding {
  return {
    id: 'exec.user',
    level: levelOf(from),
    title: `a PHP that runs as ${user} cannot read the settings and keeps its sessions in local files, because that user is not known here`,
    from,
    fix: AFTER_THE_DROP,
  }
}

function severalUsers(drops: readonly Drop[]): Finding {
  const users = [...new Set(drops.map(({ user }) => user))]
  return {
    id: 'exec.user',
    level: drops.every(({ isOfPhp }) => isOfPhp) ? 'error' : 'warn',
    title: `PHP may run as ${joinWords(users, 'and')}, whose groups differ: only one of them could read the settings, and the others would keep their sessions in local files`,
    from: joinWords([...new Set(drops.map(({ from }) => from))], 'and'),
    fix: AFTER_THE_DROP,
  }
}

function clearedFinding({ name, instead, from }: ReturnType<typeof findClearing>[number]): Finding {
  return {
    id: 'exec.environment',
    // What sudo keeps is in its own configuration.
    level: name === 'sudo' ? 'warn' : levelOf(from),
    title: `${name} removes PHP_INI_SCAN_DIR from the environment: a PHP that it starts keeps its sessions in local files`,
    from,
    fix: `write ${instead}, or put php-sessions exec -- behind ${name}`,
  }
}
