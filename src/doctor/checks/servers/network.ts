import type { Address } from '../../../core/address.ts'
import type { Sourced } from '../../../core/binding.ts'
import type { StoreName } from '../../../core/endpoint.ts'
import type { Finding, Level } from '../../../core/finding.ts'
import type { ServerAnswer, ServerState } from '../../../php/answers.ts'
import { LIMIT_SECONDS } from '../../../php/ask.ts'
import type { PlannedStore } from '../../../plan/plan.ts'
import type { Check, CheckOutcome, Context } from '../../check.ts'
import { serverName } from '../../server-name.ts'
import { findServerError } from './server-errors.ts'

/** A server and what the probe found there. */
export interface Reached {
  readonly server: Sourced<Address>
  readonly answer: ServerAnswer
}

/** Every server of the plan with what the probe found there; undefined if sessions stay in files. */
export function reachServers(
  context: Context,
): { planned: PlannedStore; reached: readonly Reached[] } | undefined {
  const { plan } = context
  if (plan.planned === undefined) return undefined
  const { servers: answers = [] } = context.ask('network')
  const reached = plan.planned.servers.map((server, i) => ({
    server,
    answer: answers[i] ?? { state: 'untried' as const },
  }))
  return { planned: plan.planned, reached }
}

/** Whether a store's client spreads the sessions over all servers, so that each server keeps some of them. */
const IS_SPREAD: Readonly<Record<StoreName, boolean>> = { redis: false, memcached: true }

/**
 * Whether a Memcached pool lacks a server. Whether a session works then depends on the server that its id leads to, so
 * trying one would prove nothing.
 */
export function isPoolIncomplete(context: Context): boolean {
  const all = reachServers(context)
  if (all === undefined || !IS_SPREAD[all.planned.store.name] || all.reached.length < 2) return false
  return !all.reached.every(isUsable)
}

/** A server that cannot be used is only a warning while another one can. */
function levelOf(reached: readonly Reached[]): Level {
  return reached.some(isUsable) ? 'warn' : 'error'
}

/** Whether a server speaks, and does not refuse everything. */
export function isUsable({ server, answer: { state, said = '' } }: Reached): boolean {
  return state === 'speaks' && !(said.startsWith('-') && findServerError(server, said, (text) => text))
}

/** Makes the findings of a check that looks at each server. */
export function checkServers(
  context: Context,
  title: (reached: readonly Reached[]) => string,
  find: (reached: Reached, planned: PlannedStore, said: string) => Omit<Finding, 'level'> | undefined,
): CheckOutcome | undefined {
  const all = reachServers(context)
  if (all === undefined) return undefined
  const level = levelOf(all.reached)
  return {
    title: title(all.reached),
    findings: all.reached.flatMap((reached): Finding[] => {
      const found = find(reached, all.planned, context.quote(reached.answer.said ?? ''))
      return found === undefined ? [] : [{ ...found, level }]
    }),
  }
}

/** Whether the name of each server resolves to an address. */
export const resolve: Check = {
  id: 'net.resolve',
  meaning: 'do the server names resolve to addresses?',
  needs: ['binding.plan', 'php.found'],
  run: (context) =>
    checkServers(
      context,
      (reached) =>
        reached.map(({ server: { value }, answer }) => describeAddress(value, answer.address)).join(', '),
      ({ server, answer: { state } }) => {
        if (state !== 'unresolved' && state !== 'resolving') return undefined
        const { host } = server.value
        return {
          id: 'net.resolve',
          title:
            state === 'unresolved'
              ? `this machine cannot resolve ${host}`
              : `resolving ${host} took more than ${LIMIT_SECONDS} seconds`,
          from: server.from,
          fix: `run getent hosts ${host} here; the name may be misspelt, or known only on another network`,
        }
      },
    ),
}

function describeAddress({ host }: Address, address: string | undefined): string {
  const numeric = address?.replace(/:[0-9]+$/, '').replace(/^\[|\]$/g, '')
  return numeric === undefined || numeric === host || numeric === ''
    ? `${host} needs no lookup`
    : `${host} resolves to ${numeric}`
}

const STORE_TITLES: Readonly<Record<StoreName, string>> = { redis: 'Redis', memcached: 'Memcached' }
const OTHER_STORE: Readonly<Record<StoreName, StoreName>> = { redis: 'memcached', memcached: 'redis' }

/** The fault of a server whose name resolves but that does not answer properly, apart from TLS. */
const TROUBLE: Partial<
  Record<ServerState, (server: string, said: string, store: StoreName) => Omit<Finding, 'level' | 'from'>>
> = {
  refused: (server, said) => ({
    id: 'net.connect',
    title: `nothing accepts connections at ${server}: ${/\(([^()]+)\)|$/.exec(said)?.[1] ?? reasonOf(said)}`,
    fix: server.startsWith('/')
      ? 'check that the service runs and listens at this path, and that PHP may use it'
      : 'check that the service runs and uses this port; on Cloud Foundry a security group may block the connection',
  }),
  slow: (server) => ({
    id: 'net.connect',
    title: `${server} does not accept a connection within 2 seconds`,
    fix: 'allow this address and port in the firewall, which may drop the packets; on Cloud Foundry that is a security group',
  }),
  untried: (server) => ({
    id: 'net.connect',
    title: `no time was left to try ${server}`,
    fix: 'first repair the servers listed before it',
  }),
  silent: (server) => ({
    id: 'net.silent',
    title: `${server} accepts connections but does not answer: it hangs or is busy`,
    fix: 'restart the service, or ask its operator what it is doing; until then each request waits 2 to 3 seconds for it',
  }),
  closed: (server) => ({
    id: 'net.closed',
    title: `${server} closes the connection without an answer`,
    fix: 'look in the log of the server: it may reject this address or speak another protocol',
  }),
  alert: (server) => ({
    id: 'net.closed',
    title: `${server} closes the connection with a TLS alert`,
    fix: 'look in the log of the server',
  }),
  foreign: (server, said) => ({
    id: 'net.foreign',
    title: `another kind of server answers at ${server}: ${describeLine(said)}`,
    fix: 'correct host and port in the credentials',
  }),
  dripping: (server) => ({
    id: 'net.silent',
    title: `${server} sends single bytes but no complete answer in time: a relay or the network delays it`,
    fix: 'examine what is between this machine and the service; until then each request waits for it',
  }),
  crowded: (server, said) => ({
    id: 'memcached.clients',
    title: `${server} has reached its connection limit: ${said}`,
    fix: 'start memcached with a larger -c, or use fewer workers of php-fpm (pm.max_children), or fewer instances',
  }),
  'other-store': (server, _, store) => ({
    id: 'net.other-store',
    title: `a ${STORE_TITLES[OTHER_STORE[store]]} answers at ${server}, but the binding is for ${STORE_TITLES[store]}`,
    fix: `correct host and port in the credentials, or bind the service as ${STORE_TITLES[OTHER_STORE[store]]}: its name or label decides that`,
  }),
  'text-only': (server, said) => ({
    id: 'memcached.text-only',
    title: `${server} does not speak Memcached's binary protocol, which PHP uses for sessions: ${said}`,
    fix: 'start memcached without -B ascii, or use a proxy that knows the binary protocol',
  }),
}

function describeLine(said: string): string {
  if (said === '') return 'it sends an empty line'
  return /[^\x20-\x7e]/.test(said) ? 'it sends binary data' : said.slice(0, 60)
}

/** An answer that takes longer makes every page slow. */
const SLOW_MILLISECONDS = 1000

function findSlow(server: string, milliseconds = 0): Omit<Finding, 'level' | 'from'> | undefined {
  if (milliseconds < SLOW_MILLISECONDS) return undefined
  return {
    id: 'net.slow',
    title: `${server} takes ${Math.round(milliseconds)} ms to answer: each request waits that long several times`,
    fix: 'use a service nearer to the app, or ask its operator what it is doing',
  }
}

function reasonOf(said: string): string {
  return said.replace(/^.*: /, '')
}

/** Whether the servers accept a connection and answer in time. */
export const connect: Check = {
  id: 'net.connect',
  meaning: 'do the servers answer in time?',
  needs: ['net.resolve'],
  run: (context) =>
    checkServers(
      context,
      (reached) =>
        reached
          .map(({ server, answer: { milliseconds } }) =>
            milliseconds === undefined
              ? `${serverName(server)} answers`
              : `${serverName(server)} answers after ${milliseconds} ms`,
          )
          .join(', '),
      ({ server, answer: { state, said: raw = '', milliseconds } }, { endpoint, store }, said) => {
        const refused =
          state === 'speaks' && raw.startsWith('-') && findServerError(server, raw, context.quote)
        if (refused) return { ...refused, from: server.from }
        if (state === 'closed' && endpoint.tls.value) return undefined
        const name = serverName(server)
        const trouble =
          TROUBLE[state]?.(name, said, store.name) ??
          (state === 'speaks' ? findSlow(name, milliseconds) : undefined)
        return trouble === undefined ? undefined : { ...trouble, from: server.from }
      },
    ),
}
