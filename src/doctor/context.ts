import { isEncrypting } from '../core/encryption.ts'
import { makeMask } from '../core/mask.ts'
import type { Home } from '../homes/home.ts'
import {
  type Answers,
  askPhp,
  type Log,
  limitSecondsOf,
  type PhpStart,
  type ProbeName,
  ProbeSilent,
  type Question,
} from '../php/ask.ts'
import { masterUnknown } from '../php/complete.ts'
import { lookAround, type Patience } from '../php/look-around.ts'
import {
  networkQuestion,
  secretsOf,
  sessionQuestion,
  settingsQuestion,
  storeQuestion,
} from '../php/questions.ts'
import { webOf } from '../php/web/web.ts'
import { startAsWeb } from '../php/web/web-start.ts'
import { type PlannedStore, serversOf } from '../plan/plan.ts'
import { askSettings } from './ask-settings.ts'
import type { Context } from './check.ts'
import { prependFileOf } from './checks/managed-handler.ts'
import { isUsable, reachServers } from './checks/servers/network.ts'
import { pageOf } from './page.ts'

/** In seconds. Frozen Sentinels must be reported within five seconds, so they get no more time than this. */
export const IMPATIENT: Patience = { all: 1, each: 0.7 }

/**
 * How long servers may keep the doctor waiting, in all probes together, so that it always ends in about five seconds.
 */
const SERVER_SECONDS = 4.7
/** A probe gets at least this: a server that delayed no other probe will not delay this one. */
const LEAST_SECONDS: Partial<Record<ProbeName, number>> = { redis: 1.7, memcached: 1.7, session: 2.5 }

/** What the doctor examines. */
export interface Examined extends Omit<Context, 'appDirectory' | 'advice' | 'ask' | 'ofPrevious' | 'quote'> {
  readonly home: Home
  readonly php: PhpStart
  /** How to start php-fpm: empty for none, undefined to look for one of PHP's version. */
  readonly fpm: readonly string[] | undefined
}

/** Makes the context of the checks. Each probe runs once, with the ini files of the PHP that serves the app. */
export function makeContext(examined: Examined, log: Log): Context {
  let deadline: number | undefined
  const limit: LimitSeconds = (name) => {
    const most = limitSecondsOf(name)
    if (!OVER_NETWORK.includes(name)) return most
    deadline ??= examined.host.now() + SERVER_SECONDS
    return Math.min(most, Math.max(deadline - examined.host.now(), LEAST_SECONDS[name] ?? most))
  }
  return contextOf(examined, new Map(), limit, makeMask(secretsOf(examined.plan)), log)
}

type LimitSeconds = (name: ProbeName) => number

/** `asked` has what PHP has answered already. */
function contextOf(
  examined: Examined,
  asked: Map<ProbeName, object>,
  limit: LimitSeconds,
  quote: Context['quote'],
  log: Log,
): Context {
  const ask = <Name extends ProbeName>(name: Name): Partial<Answers[Name]> => {
    const known = asked.get(name) ?? attempt(name)
    asked.set(name, known)
    if (known instanceof ProbeSilent) throw known
    return known as Partial<Answers[Name]>
  }
  const attempt = (name: ProbeName): object => {
    try {
      const { host, php } = examined
      const start = name === 'settings' ? php : startAsWeb(php, webOf(context.ask('settings')))
      const question = questionFor(name, examined, context)
      return name === 'settings'
        ? askSettings(host, start, question, log)
        : askPhp(host, start, name, question, log, limit(name))
    } catch (error) {
      if (error instanceof ProbeSilent) return error
      throw error
    }
  }
  const { appDirectory, advice } = examined.home
  const ofPrevious: Context['ofPrevious'] = () => {
    const found = planPrevious(examined)
    if (found === undefined) return undefined
    const settings = asked.get('settings')
    const known = new Map(settings === undefined ? [] : [['settings', settings] as const])
    const there = { ...examined, plan: found.plan }
    return { context: contextOf(there, known, limit, quote, log), findings: found.findings }
  }
  const context: Context = { ...examined, appDirectory, advice, ask, ofPrevious, quote }
  return context
}

const OVER_NETWORK: readonly ProbeName[] = ['network', 'redis', 'memcached', 'session']

/** The plan as if the store that had the sessions before kept them; why its Sentinels name no master. */
function planPrevious({ host, plan, home }: Examined) {
  const previous = plan.planned?.previous
  if (previous?.store === undefined) return undefined
  const { endpoint } = previous
  const { start } = home.php
  const isAsked = endpoint.sentinel !== undefined && start !== undefined
  const facts = isAsked ? lookAround(host, start, { fpm: [], isKnown: true }, endpoint, IMPATIENT) : undefined
  const { master, ...told } = typeof facts === 'object' ? facts : NO_ANSWER
  const isUnknown = endpoint.sentinel !== undefined && master === undefined
  const planned: PlannedStore = {
    ...previous,
    handler: 'managed',
    servers: serversOf(endpoint, master),
    previous: undefined,
  }
  return { plan: { ...plan, planned }, findings: isUnknown ? [masterUnknown(endpoint, told)] : [] }
}

const NO_ANSWER = { master: undefined, phpredis: '', failures: [] }

function questionFor(name: ProbeName, { plan, pools, options, fpm }: Examined, context: Context): Question {
  if (name === 'settings') return settingsQuestion(plan, fpm, pools)
  if (name === 'session') {
    const isManaged = plan.planned?.handler === 'managed'
    const { encryption } = plan.planned?.endpoint ?? {}
    const looks = isManaged && encryption !== undefined && isEncrypting(encryption)
    return sessionQuestion(pageOf(context), isManaged ? prependFileOf(context).value : '', looks)
  }
  const { planned } = plan
  if (planned === undefined) return {}
  if (name === 'previous') return { prependFile: prependFileOf(context).value }
  if (name === 'extension') return { extension: planned.store.name }
  if (name === 'network') return networkQuestion(planned)
  const reached = reachServers(context)?.reached ?? []
  const isAway = (server: number) =>
    reached.some(isUsable) && !reached.slice(server, server + 1).every(isUsable)
  return storeQuestion(planned, options, isAway)
}
