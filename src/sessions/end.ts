import type { JsonObject } from '../core/binding.ts'
import type { Finding } from '../core/finding.ts'
import { renderJson } from '../core/text.ts'
import type { Host } from '../host/host.ts'
import type { Log } from '../php/ask.ts'
import { filesSettings } from '../plan/previous.ts'
import { renderFindings } from '../plan/report.ts'
import compression from '../stores/redis/handler/compression.php'
import type { AppSessions } from './app-sessions.ts'
import { amount } from './count-text.ts'
import { filesQuestion, othersFile, severalApps, tellInstance, tellOthers } from './local-files.ts'
import { askSessions, boundStoreQuestion, isFinding, type StoreQuestion, storeQuestionOf } from './program.ts'
import { DECODE } from './programs/decode/index.ts'
import end from './programs/end.php'
import endMoving from './programs/end-moving.php'
import { type Flags, refuse, withSessions } from './work.ts'

const PROGRAM = { name: 'end', files: [compression, ...DECODE, end] }
/** While sessions move, they are locked as requests lock them. */
const MOVING = { name: 'end', files: [compression, ...DECODE, endMoving, end], isLocking: true }

/** Which sessions are to end: one id, those with a value, or all. */
interface Which {
  readonly id: string | null
  readonly where: { readonly name: string; readonly value: string | null } | null
}

type Stores = { readonly [name: string]: StoreQuestion }

/** Ends sessions, after saying how many they are. */
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
  const program = stores.previous === undefined ? PROGRAM : MOVING
  const ask = (isTrial: boolean) => askSessions(sessions, program, { ...which, isTrial }, log, stores)
  const trial = ask(true)
  if (isFinding(trial)) return trial
  const { count, unreadable } = trial as unknown as Ended
  if (unreadable > 0)
    host.err(`skipped: ${sessionsOf(unreadable)} too large or in a format that PHP does not write\n`)
  const refusal = refuseUsers(host, which, trial)
  if (refusal !== undefined) return refusal
  if (count === 0) return 0
  if (sessions.prepared.plan.planned === undefined) tellInstance(host, trial)
  host.err(renderFindings(warnings(sessions)))
  if (flags.yes === undefined) {
    const answer = host.ask(`${sessionsOf(count)} will end: their visitors are logged out. Continue? [y/N] `)
    if (answer === undefined) return unconfirmed(count)
    if (!/^y(es)?$/i.test(answer)) return declined(count)
  } else host.err(`${sessionsOf(count)} will end\n`)
  const done = ask(false)
  if (isFinding(done)) return done
  const { count: ended, held, why } = done as unknown as Ended
  return held > 0 ? stillHeld(held, ended, why) : ended
}

/** The answer of programs/end.php. */
interface Ended {
  readonly count: number
  readonly unreadable: number
  /** Those that requests kept locked, and one of these requests. */
  readonly held: number
  readonly why: string
}

/** With local files, it is not always known whose sessions are meant. */
function refuseUsers(host: Host, { id }: Which, trial: JsonObject): Finding | undefined {
  if (id !== null) return trial.count === 0 ? othersFile(host, trial) : undefined
  tellOthers(host, trial)
  return severalApps(host, trial)
}

/** The previous store first, as requests lock them. */
function storesOf(sessions: AppSessions): Stores {
  const main = storeQuestionOf(sessions)
  const { surroundings } = sessions
  const previous = sessions.prepared.plan.planned?.previous
  if (previous === undefined) return { main }
  if (previous.store !== undefined)
    return { previous: boundStoreQuestion(previous, surroundings, true), main }
  return { previous: filesQuestion(sessions, filesSettings(previous.savePath, surroundings)), main }
}

/** What a running request can do with an ended session, if the managed handler's lock does not prevent it. */
function warnings({ prepared: { plan, input } }: AppSessions): readonly Finding[] {
  const { planned } = plan
  const isLocking = input.options.PHP_SESSIONS_LOCKING
  const isManaged = planned?.handler === 'managed'
  if (isManaged && isLocking) return []
  if (planned === undefined) return [returns(TAKES_ALONG, "PHP's own handler for local files", AGAIN)]
  const isLocked =
    isLocking && planned.store.name === 'redis' && planned.endpoint.topology.value !== 'cluster'
  const from = isLocking ? `PHP's own handler for ${planned.store.title}` : 'PHP_SESSIONS_LOCKING'
  const cure = isManaged ? 'PHP_SESSIONS_LOCKING=on' : 'PHP_SESSIONS_HANDLER=managed'
  return [
    returns(
      isLocked ? TAKES_ALONG : 'writes its session back when it ends',
      from,
      `${AGAIN}, or set ${cure}`,
    ),
  ]
}

const TAKES_ALONG = 'keeps its session if it gives it a new id (session_regenerate_id)'
const AGAIN = 'end the sessions again after the longest request'

function returns(what: string, from: string, fix: string): Finding {
  return {
    id: 'sessions.returns',
    level: 'warn',
    title: `a request that is running now ${what}`,
    from,
    fix,
  }
}

function stillHeld(held: number, ended: number, why: string): Finding {
  return {
    id: 'sessions.held',
    level: 'error',
    title: `${sessionsOf(ended)} ended, and ${amount(held)} did not: ${why}`,
    from: 'requests that are running now',
    fix: 'run it again when these requests have ended',
  }
}

function unconfirmed(count: number): Finding {
  return {
    id: 'sessions.unconfirmed',
    level: 'error',
    title: `${sessionsOf(count)} would end, but nothing was done: nobody here can confirm`,
    from: 'standard input, which is not a terminal',
    fix: 'add --yes',
  }
}

function declined(count: number): Finding {
  return {
    id: 'sessions.declined',
    level: 'error',
    title: `${sessionsOf(count)} would end, but nothing was done`,
    from: 'the answer',
    fix: 'answer y, or add --yes',
  }
}

function sessionsOf(count: number): string {
  return count === 1 ? '1 session' : `${amount(count)} sessions`
}
