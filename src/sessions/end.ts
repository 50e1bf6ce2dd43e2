import type { Finding } from '../core/finding.ts'
import { renderJson } from '../core/text.ts'
import type { Host } from '../host/host.ts'
import type { Log } from '../php/ask.ts'
import { renderFindings } from '../plan/report.ts'
import compression from '../stores/redis/handler/compression.php'
import type { AppSessions } from './app-sessions.ts'
import { amount } from './count-text.ts'
import { askSessions, boundStoreQuestion, isFinding, type StoreQuestion, storeQuestionOf } from './program.ts'
import decode from './programs/decode.php'
import end from './programs/end.php'
import { type Flags, refuse, withSessions } from './work.ts'

const PROGRAM = { name: 'end', files: [compression, decode, end] }

/** Which sessions are to end: one id, those with a value, or all. */
interface Which {
  readonly id: string | null
  readonly where: { readonly name: string; readonly value: string | null } | null
}

type Stores = { readonly [name: string]: StoreQuestion }

/** Ends sessions, after it has said how many they are. */
export function endSessions(host: Host, id: string | undefined, flags: Flags): number {
  const which = chooseWhich(id, flags)
  if ('fix' in which) return refuse(host, [which])
  const ended = withSessions(host, flags, (sessions, log) => endThem(host, sessions, which, flags, log))
  if (ended === undefined) return 1
  host.out(flags.json === undefined ? `${sessionsOf(ended)} ended\n` : renderJson({ version: 1, ended }))
  return 0
}

function chooseWhich(id: string | undefined, { where, all }: Flags): Which | Finding {
  const given = [id, where, all].filter((one) => one !== undefined && one !== '')
  if (given.length !== 1)
    return {
      id: 'sessions.which',
      level: 'error',
      title: `${given.length === 0 ? 'nothing says' : 'several things say'} which sessions to end`,
      from: 'the command line',
      fix: 'give an ID, --where NAME=VALUE, or --all',
    }
  const [name = '', value = null] = (where ?? '').split(/=(.*)/s)
  return { id: id ?? null, where: where === undefined ? null : { name, value } }
}

function endThem(host: Host, sessions: AppSessions, which: Which, flags: Flags, log: Log): number | Finding {
  const stores = storesOf(sessions)
  if (isFinding(stores)) return stores
  const ask = (isTrial: boolean) => askSessions(sessions, PROGRAM, { ...which, isTrial }, log, stores)
  const trial = ask(true)
  if (isFinding(trial)) return trial
  const { count, unreadable } = trial as { readonly count: number; readonly unreadable: number }
  if (unreadable > 0) host.err(`not looked into: ${sessionsOf(unreadable)} in no format that PHP writes\n`)
  if (count === 0) return 0
  host.err(renderFindings(warnings(sessions)))
  if (flags.yes === undefined) {
    const answer = host.ask(`${sessionsOf(count)} will end: their visitors are logged out. Continue? [y/N] `)
    if (answer === undefined) return unconfirmed(count)
    if (!/^y(es)?$/i.test(answer)) return declined(count)
  } else host.err(`${sessionsOf(count)} will end\n`)
  const done = ask(false)
  return isFinding(done) ? done : Number(done.count)
}

/** The previous store first: nothing is taken from it any more while the app's own sessions end. */
function storesOf(sessions: AppSessions): Stores | Finding {
  const main = storeQuestionOf(sessions)
  const { planned } = sessions.prepared.plan
  const previous = planned?.previous
  if (previous === undefined) return { main }
  if (planned?.store.name === 'redis' && previous.store !== undefined && previous.store.name === 'redis')
    return { previous: boundStoreQuestion(previous, sessions.surroundings, true), main }
  return {
    id: 'sessions.previous',
    level: 'error',
    title: `sessions that end in ${planned?.service} would come back from ${previous.title}, where none can be ended`,
    from: 'PHP_SESSIONS_PREVIOUS',
    fix: 'end them when the move is over and PHP_SESSIONS_PREVIOUS is removed',
  }
}

/** What a request that is running now can do with an ended session, where the managed handler's lock does not prevent it. */
function warnings({ prepared: { plan, input } }: AppSessions): readonly Finding[] {
  const { planned } = plan
  const isLocking = input.options.PHP_SESSIONS_LOCKING
  const isManaged = planned?.handler === 'managed'
  if (planned === undefined || (isManaged && isLocking)) return []
  const isLocked =
    isLocking && planned.store.name === 'redis' && planned.endpoint.topology.value !== 'cluster'
  const what = isLocked
    ? 'takes its session along if it gives it a new id (session_regenerate_id)'
    : 'writes its session back when it ends'
  return [
    {
      id: 'sessions.returns',
      level: 'warn',
      title: `a request that is running now ${what}`,
      from: isLocking ? `PHP's own handler for ${planned.store.title}` : 'PHP_SESSIONS_LOCKING',
      fix: `end the sessions once more after the longest request, or set ${isManaged ? 'PHP_SESSIONS_LOCKING=on' : 'PHP_SESSIONS_HANDLER=managed'}`,
    },
  ]
}

function unconfirmed(count: number): Finding {
  return {
    id: 'sessions.unconfirmed',
    level: 'error',
    title: `${sessionsOf(count)} would end, and nothing is done: nobody can be asked here`,
    from: 'standard input, which is not a terminal',
    fix: 'add --yes',
  }
}

function declined(count: number): Finding {
  return {
    id: 'sessions.declined',
    level: 'error',
    title: `${sessionsOf(count)} would end, and nothing is done`,
    from: 'the answer',
    fix: 'answer y, or add --yes',
  }
}

function sessionsOf(count: number): string {
  return count === 1 ? '1 session' : `${amount(count)} sessions`
}
