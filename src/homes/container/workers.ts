import type { Finding, Level } from '../../core/finding.ts'
import { Secret } from '../../core/secret.ts'
import { joinWords } from '../../core/text.ts'
import type { Host } from '../../host/host.ts'
import type { CompletePlan } from '../../php/complete.ts'
import { isPhpFpm, ourUser } from '../../php/php-fpm.ts'
import type { PhpCheck } from '../home.ts'
import { type Group, groupNamed, groupOfUser } from './accounts.ts'
import { groupOfApache, isApache } from './apache.ts'
import { type Drop, findClearing, findDrops } from './drops.ts'
import { findStarted, nameOf, OF_EXEC } from './started.ts'

/** The files are read by the user that php-sessions runs as. */
export const OUR_USER: PhpCheck = { group: undefined, findings: [] }

type Completed = Pick<CompletePlan, 'plan' | 'facts'>

/**
 * Finds who reads the files for a command that root starts. PHP as a whole may run as another user, which its words or
 * scripts say; then that user reads the ini. A server that root starts gives its workers another user.
 *
 * The files stay root's, since root may run what is in them; others get them by their group, and never for writing.
 */
export function findReaders(host: Host, command: readonly string[], completed: Completed): PhpCheck {
  const isRoot = ourUser(host) === 0
  if (completed.plan.planned === undefined) return OUR_USER
  const started = findStarted(host, command)
  const cleared = started.flatMap(findClearing).slice(0, 1).map(clearedFinding)
  if (!isRoot) return { group: undefined, findings: cleared }
  const drops = findDrops(host, started)
  const unknownDrop = drops.find(({ group }) => group === undefined)
  const of = drops.flatMap(({ group }) => group ?? [])
  if (unknownDrop !== undefined) return { group: undefined, findings: [...cleared, unknownUser(unknownDrop)] }
  if (of.length === 0) {
    const fpm = started.map(({ words }) => words).find((words) => (fpmIn(words)?.length ?? 0) > 0)
    const { group, findings } = findWorkers(host, fpm ?? command, completed)
    return { group, findings: [...cleared, ...findings] }
  }
  const gids = [...new Set(of.map(({ gid }) => gid))]
  const [gid] = gids
  if (gids.length === 1 && gid !== undefined) return { group: gid, findings: cleared, readsIni: true }
  return { group: undefined, findings: [...cleared, severalUsers(drops)] }
}

/**
 * Finds the group of the workers that a command of root starts. The server's master reads the ini, but each worker
 * reads the managed handler's credentials and a client's key.
 */
export function findWorkers(host: Host, command: readonly string[], { plan, facts }: Completed): PhpCheck {
  const isNeeded = plan.files.some(({ text }) => text instanceof Secret) && ourUser(host) === 0
  if (!isNeeded || isPhp(command)) return OUR_USER
  const fpm = fpmIn(command)
  if (fpm !== undefined && fpm.length > 0) return workersOf('php-fpm', groupsOfPools(host, facts))
  if (command.some(isApache)) return workersOf('Apache', groupOfApache(host, command))
  return { group: undefined, findings: [unknown(`the command ${command[0]} does not say`)] }
}

/** The part of a command that starts php-fpm; empty if it starts another server, undefined where it does not say. */
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
function groupsOfPools(host: Host, facts: CompletePlan['facts']): readonly Group[] {
  const lines = facts?.pools.filter(({ kind }) => kind === '') ?? []
  const pools = [...new Set(lines.filter(({ name }) => name === 'listen').map(({ pool }) => pool))]
  return pools.map((pool) => {
    const settingNamed = (wanted: string) =>
      lines
        .findLast(({ pool: of, name }) => of === pool && name === wanted)
        ?.value.replace(/\$\{(\w+)\}/g, (_, variable) => host.env[variable] ?? '')
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

/** The command of exec runs; a line of a script may be for something else. */
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
    level: 'error',
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
    title: `${name} takes PHP_INI_SCAN_DIR out of the environment: a PHP that it starts keeps its sessions in local files`,
    from,
    fix: `write ${instead}, or put php-sessions exec -- behind ${name}`,
  }
}
