import { isObject, parseJson } from '../core/binding.ts'
import type { Finding } from '../core/finding.ts'
import { renderJson } from '../core/text.ts'
import type { Host } from '../host/host.ts'
import type { Log } from '../php/ask.ts'
import type { AppSessions } from './app-sessions.ts'
import type { Census } from './census.ts'
import { renderCensus } from './count-text.ts'
import { lifetimeIn, placeOf, tellOthers } from './local-files.ts'
import { askSessions, isFinding } from './program.ts'
import count from './programs/count.php'
import { type Flags, refuse, withSessions } from './work.ts'

const MINUTES = [5, 15, 60]
/** Where the bars of the histogram end, in seconds: 1, 5, 15 minutes, 1, 6 hours, 1, 7 days. */
const BARS = [60, 300, 900, 3600, 21_600, 86_400, 604_800]
/** More than a session can be old. */
const EVER = 1e12

/** Counts the sessions of an app, without reading one. */
export function countSessions(host: Host, flags: Flags): number {
  const earlier = flags.since === undefined ? undefined : readEarlier(host, flags.since)
  if (earlier !== undefined && 'fix' in earlier) return refuse(host, [earlier])
  const census = withSessions(host, flags, (sessions, log) => takeCensus(host, sessions, flags, earlier, log))
  if (census === undefined) return 1
  host.out(flags.json === undefined ? renderCensus(census) : renderJson(census))
  return 0
}

function takeCensus(
  host: Host,
  sessions: AppSessions,
  flags: Flags,
  earlier: Earlier | undefined,
  log: Log,
): Census | Finding {
  const { web, prepared, surroundings } = sessions
  const isManaged = prepared.plan.planned?.handler === 'managed'
  const firstLifetime = isManaged ? surroundings.options.PHP_SESSIONS_FIRST_LIFETIME : 0
  const question = {
    lifetime: lifetimeIn(web),
    firstLifetime,
    ages: [...MINUTES.map((minutes) => minutes * 60), ...BARS, EVER],
    ids: flags.ids !== undefined,
  }
  const answer = askSessions(sessions, { name: 'count', files: [count] }, question, log)
  if (isFinding(answer)) return answer
  tellOthers(host, answer)
  const counted = answer as unknown as Counted
  const { time, active, sessions: all, bytes, eternal, overdue, frequent, largest, short } = counted
  const upTo = active.slice(MINUTES.length)
  return {
    version: 1,
    time,
    store: placeOf(sessions, answer),
    lifetimeSeconds: counted.lifetime,
    sessions: all,
    bytes,
    active: MINUTES.map((minutes, i) => ({ minutes, sessions: active[i] ?? 0 })),
    histogram: upTo.map((so, i) => ({
      idleSeconds: BARS[i] ?? null,
      sessions: so - (upTo[i - 1] ?? 0),
    })),
    eternal,
    overdue,
    firstPage: firstLifetime === 0 ? null : short,
    mostFrequent: frequent,
    largest,
    since:
      earlier === undefined
        ? null
        : { seconds: time - earlier.time, sessions: all - earlier.sessions, bytes: bytes - earlier.bytes },
  }
}

/** The answer of programs/count.php. */
interface Counted {
  readonly time: number
  readonly lifetime: number
  readonly sessions: number
  readonly eternal: number
  readonly overdue: number
  readonly bytes: number
  readonly active: readonly number[]
  readonly short: number
  readonly frequent: Census['mostFrequent']
  readonly largest: Census['largest']
}

type Earlier = Pick<Census, 'time' | 'sessions' | 'bytes'>

function readEarlier(host: Host, path: string): Earlier | Finding {
  const json = parseJson(host.readFile(path) ?? '')
  const [time, sessions, bytes] = isObject(json) ? [json.time, json.sessions, json.bytes] : []
  if (typeof time === 'number' && typeof sessions === 'number' && typeof bytes === 'number')
    return { time, sessions, bytes }
  return {
    id: 'sessions.since',
    level: 'error',
    title: `${path} is not what an earlier php-sessions sessions --json has printed`,
    from: '--since',
    fix: `php-sessions sessions --json > ${path}`,
  }
}
