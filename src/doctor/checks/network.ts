import type { Address } from '../../core/address.ts'
import type { Sourced } from '../../core/binding.ts'
import type { StoreName } from '../../core/endpoint.ts'
import type { Finding, Level } from '../../core/finding.ts'
import type { ServerAnswer, ServerState } from '../../php/answers.ts'
import { LIMIT_SECONDS } from '../../php/ask.ts'
import type { PlannedStore } from '../../plan/plan.ts'
import type { Check, CheckOutcome, Context } from '../check.ts'
import { serverName } from '../server-name.ts'

/** A server and what the probe met there. */
export interface Reached {
  readonly server: Sourced<Address>
  readonly answer: ServerAnswer
}

/** Every server of the plan with what the probe met there; undefined where sessions stay in files. */
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
  return all.reached.some(({ answer }) => answer.state !== 'speaks')
}

/** A server that cannot be used is only a warning while another one can. */
function levelOf(reached: readonly Reached[]): Level {
  return reached.some(({ answer }) => answer.state === 'speaks') ? 'warn' : 'error'
}

/** Makes the findings of a check that looks at each server. */
export function checkServers(
  context: Context,
  title: (reached: readonly Reached[]) => string,
  find: (reached: Reached, planned: PlannedStore) => Omit<Finding, 'level'> | undefined,
): CheckOutcome | undefined {
  const all = reachServers(context)
  if (all === undefined) return undefined
  const level = levelOf(all.reached)
  return {
    title: title(all.reached),
    findings: all.reached.flatMap((reached): Finding[] => {
      const found = find(reached, all.planned)
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
          fix: `run getent hosts ${host} here; the name may be misspelt, or known on another network only`,
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

/** What is wrong where a name resolves but its server does not answer as it should, TLS aside. */
const TROUBLE: Partial<
  Record<ServerState, (server: string, said: string) => Omit<Finding, 'level' | 'from'>>
> = {
  refused: (server, said) => ({
    id: 'net.connect',
    title: `nothing accepts connections at ${server}: ${/\(([^()]+)\)|$/.exec(said)?.[1] ?? reasonOf(said)}`,
    fix: 'check that the service runs and uses this port; on Cloud Foundry a security group may block the connection',
  }),
  slow: (server) => ({
    id: 'net.connect',
    title: `${server} does not accept a connection within 2 seconds`,
    fix: 'allow this address and port in the firewall, which may drop the packets; on Cloud Foundry that is a security group',
  }),
  untried: (server) => ({
    id: 'net.connect',
    title: `no time was left to try ${server}`,
    fix: 'repair the servers before it first',
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
    title: `another kind of server answers at ${server}: ${said.slice(0, 60)}`,
    fix: 'correct host and port in the credentials',
  }),
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
          .map(({ server, answer }) => `${serverName(server)} answers after ${answer.milliseconds ?? '?'} ms`)
          .join(', '),
      ({ server, answer: { state, said = '' } }, { endpoint, store }) => {
        const refused = REFUSALS[store.name](server, said)
        if (refused !== undefined) return refused
        if (state === 'closed' && endpoint.tls.value) return undefined
        const trouble = TROUBLE[state]?.(serverName(server), said)
        return trouble === undefined ? undefined : { ...trouble, from: server.from }
      },
    ),
}

/** How a store that refuses the connection itself says so. */
const REFUSALS: Readonly<
  Record<StoreName, (server: Sourced<Address>, said: string) => Omit<Finding, 'level'> | undefined>
> = { redis: findRedisRefusal, memcached: () => undefined }

function findRedisRefusal(server: Sourced<Address>, said: string): Omit<Finding, 'level'> | undefined {
  const from = server.from
  if (said.startsWith('-ERR max number of clients'))
    return {
      id: 'redis.clients',
      title: `${serverName(server)} has reached its limit of connections: ERR max number of clients reached`,
      from,
      fix: 'use a plan with more connections, fewer workers of php-fpm (pm.max_children), or fewer instances',
    }
  if (said.startsWith('-DENIED'))
    return {
      id: 'redis.protected',
      title: `${serverName(server)} is in protected mode: without a password it accepts connections from its own machine only`,
      from,
      fix: 'set a password there (requirepass) and put it into the credentials',
    }
  return undefined
}
