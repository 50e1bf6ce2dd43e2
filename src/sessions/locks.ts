import type { Finding } from '../core/finding.ts'
import { renderJson } from '../core/text.ts'
import type { Host } from '../host/host.ts'
import type { Log } from '../php/ask.ts'
import holder from '../stores/handler/waiting/holder.php'
import type { AppSessions } from './app-sessions.ts'
import { placeOf, tellOthers } from './local-files.ts'
import { type HeldLock, type HeldLocks, renderLocks } from './locks-text.ts'
import { askSessions, isFinding } from './program.ts'
import locks from './programs/locks.php'
import filesLocks from './programs/stores/files-locks.php'
import memcachedLocks from './programs/stores/memcached-locks.php'
import redisLocks from './programs/stores/redis-locks.php'
import { EVERY_KIND, type Flags, withSessions } from './work.ts'

/** Lists the current locks of sessions, and the requests that hold them. */
export function listLocks(host: Host, flags: Flags): number {
  const held = withSessions(
    host,
    flags,
    (sessions, log) => askForLocks(host, sessions, flags, log),
    EVERY_KIND,
  )
  if (held === undefined) return 1
  host.out(flags.json === undefined ? renderLocks(held) : renderJson(held))
  return 0
}

const PROGRAM = { name: 'locks', files: [holder, redisLocks, memcachedLocks, filesLocks, locks] }

function askForLocks(host: Host, sessions: AppSessions, flags: Flags, log: Log): HeldLocks | Finding {
  const why = whyNoLocks(sessions)
  if (why !== undefined) return noLocks(why, sessions.prepared.plan.planned?.service)
  const answer = askSessions(sessions, PROGRAM, { ids: flags.ids !== undefined }, log)
  if (isFinding(answer)) return answer
  tellOthers(host, answer)
  const { time, locks: count, waiting, longest } = answer as unknown as Answer
  return { version: 1, time, store: placeOf(sessions, answer), locks: count, waiting, longest }
}

/** The answer of programs/locks.php. */
interface Answer {
  readonly time: number
  readonly locks: number
  readonly waiting: number
  readonly longest: readonly HeldLock[]
}

/** Why there are no locks to list; undefined if there may be some. */
function whyNoLocks({ prepared: { plan }, surroundings: { options } }: AppSessions): string | undefined {
  const { planned } = plan
  if (planned === undefined) return undefined
  if (!options.PHP_SESSIONS_LOCKING) return 'PHP_SESSIONS_LOCKING is off'
  const { store, handler, endpoint } = planned
  if (handler === 'managed' || endpoint.topology.value === 'single') return undefined
  if (store.name === 'memcached') return 'the locks of a pool of Memcached servers are not listed'
  return endpoint.topology.value === 'cluster'
    ? "PHP's own handler has no locks on a Redis Cluster"
    : undefined
}

function noLocks(why: string, service: string | undefined): Finding {
  return {
    id: 'sessions.locks',
    level: 'error',
    title: `there are no locks to list: ${why}`,
    from: service ?? 'local files',
    fix: 'run php-sessions explain to see which handler keeps the sessions',
  }
}
