import type { Address } from '../../core/address.ts'
import type { Sourced } from '../../core/binding.ts'
import type { Finding, Level } from '../../core/finding.ts'
import type { ServerAnswer, ServerState } from '../../php/answers.ts'
import { LIMIT_SECONDS } from '../../php/ask.ts'
import type { PlannedStore } from '../../plan/plan.ts'
import type { StoreName } from '../../stores/store.ts'
import type { Check, CheckOutcome, Context } from '../check.ts'
import { nameOf } from '../server-name.ts'

/** A server, and how far the way to it went. */
export interface Reached {
  readonly server: Sourced<Address>
  readonly answer: ServerAnswer
}

/** What the probe met at each server of the plan; undefined where sessions stay in files. */
export function reach(context: Context): { planned: PlannedStore; reached: readonly Reached[] } | undefined {
  const { plan } = context
  if (plan.planned === undefined) return undefined
  const { servers: answers = [] } = context.ask('network')
  const reached = plan.planned.servers.map((server, i) => ({
    server,
    answer: answers[i] ?? { state: 'untried' as const },
  }))
  return { planned: plan.planned, reached }
}

/** Whether a store spreads sessions over its servers by itself, so that each has some of them. */
const IS_SPREAD: Readonly<Record<StoreName, boolean>> = { redis: false, memcached: true }

/** Whether a server of a Memcached pool is away: a session begun then may start over, which says nothing about the rest. */
export function isPoolIncomplete(context: Context): boolean {
  const way = reach(context)
  if (way === undefined || !IS_SPREAD[way.planned.store.name] || way.reached.length < 2) return false
  return way.reached.some(({ answer }) => answer.state !== 'speaks')
}

/** One of several servers may be away; then the others must do. */
function levelOf(reached: readonly Reached[]): Level {
  return reached.some(({ answer }) => answer.state === 'speaks') ? 'warn' : 'error'
}

function checkServers(
  context: Context,
  title: (reached: readonly Reached[]) => string,
  find: (reached: Reached, planned: PlannedStore) => Omit<Finding, 'level'> | undefined,
): CheckOutcome | undefined {
  const way = reach(context)
  if (way === undefined) return undefined
  const level = levelOf(way.reached)
  return {
    title: title(way.reached),
    findings: way.reached.flatMap((reached): Finding[] => {
      const found = find(reached, way.planned)
      return found === undefined ? [] : [{ ...found, level }]
    }),
  }
}

/** Whether the name of each server leads to an address. */
export const resolve: Check = {
  id: 'net.resolve',
  meaning: "do the servers' names lead to addresses?",
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
              ? `${host} is no name that this machine knows`
              : `looking up ${host} took more than ${LIMIT_SECONDS} seconds`,
          from: server.from,
          fix: `see what getent hosts ${host} says here; the name may be known on another network only, or misspelt`,
        }
      },
    ),
}

function describeAddress({ host }: Address, address: string | undefined): string {
  const numeric = address?.replace(/:[0-9]+$/, '').replace(/^\[|\]$/g, '')
  return numeric === undefined || numeric === host || numeric === ''
    ? `${host} is an address`
    : `${host} is ${numeric}`
}

/** What is wrong where a server was found and cannot be talked to, TLS aside. */
const TROUBLE: Partial<
  Record<ServerState, (server: string, said: string) => Omit<Finding, 'level' | 'from'>>
> = {
  refused: (server, said) => ({
    id: 'net.connect',
    title: `nobody takes a connection at ${server}: ${/\(([^()]+)\)|$/.exec(said)?.[1] ?? reasonOf(said)}`,
    fix: 'see whether the service runs and whether that is its port; on Cloud Foundry a security group may forbid the way',
  }),
  slow: (server) => ({
    id: 'net.connect',
    title: `${server} does not take a connection within 2 seconds`,
    fix: 'a firewall may swallow the packets: allow this address and port; on Cloud Foundry that is a security group',
  }),
  untried: (server) => ({
    id: 'net.connect',
    title: `no time was left to try ${server}`,
    fix: 'see to the servers before it first',
  }),
  silent: (server) => ({
    id: 'net.silent',
    title: `${server} takes connections and answers nothing: it hangs, or is busy with something else`,
    fix: 'restart the service, or ask its operator what it is doing; until then each request waits 2 to 3 seconds for it',
  }),
  closed: (server) => ({
    id: 'net.closed',
    title: `${server} closes the connection without a word`,
    fix: 'see the log of the server: it may forbid this address, or speak another protocol',
  }),
  alert: (server) => ({
    id: 'net.closed',
    title: `${server} closes the connection with a TLS alert`,
    fix: 'see the log of the server',
  }),
  foreign: (server, said) => ({
    id: 'net.foreign',
    title: `something else answers at ${server}: ${said.slice(0, 60)}`,
    fix: 'correct host and port in the credentials',
  }),
}

function reasonOf(said: string): string {
  return said.replace(/^.*: /, '')
}

/** Whether somebody answers there in time. */
export const connect: Check = {
  id: 'net.connect',
  meaning: 'do the servers answer in time?',
  needs: ['net.resolve'],
  run: (context) =>
    checkServers(
      context,
      (reached) =>
        reached
          .map(({ server, answer }) => `${nameOf(server)} answers after ${answer.milliseconds ?? '?'} ms`)
          .join(', '),
      ({ server, answer: { state, said = '' } }, { endpoint, store }) => {
        const refused = REFUSALS[store.name](server, said)
        if (refused !== undefined) return refused
        if (state === 'closed' && endpoint.tls.value) return undefined
        const trouble = TROUBLE[state]?.(nameOf(server), said)
        return trouble === undefined ? undefined : { ...trouble, from: server.from }
      },
    ),
}

/** What a store says to a connection that it does not want at all. */
const REFUSALS: Readonly<
  Record<StoreName, (server: Sourced<Address>, said: string) => Omit<Finding, 'level'> | undefined>
> = { redis: findRedisRefusal, memcached: () => undefined }

function findRedisRefusal(server: Sourced<Address>, said: string): Omit<Finding, 'level'> | undefined {
  const from = server.from
  if (said.startsWith('-ERR max number of clients'))
    return {
      id: 'redis.clients',
      title: `${nameOf(server)} has as many clients as it may: ERR max number of clients reached`,
      from,
      fix: 'use a plan with more connections, fewer workers of php-fpm (pm.max_children), or fewer instances',
    }
  if (said.startsWith('-DENIED'))
    return {
      id: 'redis.protected',
      title: `${nameOf(server)} is in protected mode: without a password it takes connections from its own machine only`,
      from,
      fix: 'set a password there (requirepass) and put it into the credentials',
    }
  return undefined
}

const TLS_TROUBLE: Partial<
  Record<ServerState, (reached: Reached, planned: PlannedStore) => Omit<Finding, 'level'>>
> = {
  'tls-ca': ({ server, answer }, { endpoint: { ca, tls } }) => ({
    id: 'tls.ca',
    title: `the certificate of ${nameOf(server)} is signed by ${answer.certificate?.issuer || 'nobody known'}, which PHP does not trust`,
    from: ca?.from ?? tls.from,
    fix:
      ca === undefined
        ? "put the CA's certificate into the credentials as ca, or into the file that SSL_CERT_FILE names"
        : 'put the certificate of the CA that signed it there: this is another one',
  }),
  'tls-name': ({ server, answer }) => ({
    id: 'tls.name',
    title: `the certificate is for ${answer.certificate?.names}, not ${server.value.host}`,
    from: server.from,
    fix: `put one of these names into the credentials as host, or have the server's certificate made for ${server.value.host}`,
  }),
  'tls-expired': ({ server, answer }) => ({
    id: 'tls.expired',
    title: `the certificate of ${nameOf(server)} is good from ${answer.certificate?.from} to ${answer.certificate?.to} only`,
    from: server.from,
    fix: 'have the certificate of the server renewed; if the dates are right, set the clock of this machine',
  }),
  'speaks-plain': ({ server }, { endpoint: { tls } }) => ({
    id: 'tls.plain-port',
    title: `${nameOf(server)} speaks no TLS, which the credentials ask for`,
    from: tls.from,
    fix: 'put the port for TLS into the credentials (tls_port), or take out what asks for TLS',
  }),
  'speaks-tls': ({ server }, { endpoint: { tls } }) => ({
    id: 'tls.missing',
    title: `${nameOf(server)} speaks TLS only, which the credentials do not ask for`,
    from: tls.from,
    fix: 'put "tls": true into the credentials, or the port without TLS',
  }),
  'tls-failed': ({ server, answer }) => ({
    id: 'tls.handshake',
    title: `no TLS connection with ${nameOf(server)}: ${answer.said || 'it gave no reason'}`,
    from: server.from,
    fix: 'see which versions of TLS and which ciphers the server takes',
  }),
  closed: ({ server, answer }, { endpoint: { clientCertificate } }) => ({
    id: 'tls.client-certificate',
    title:
      clientCertificate === undefined
        ? `${nameOf(server)} closes the TLS connection: it wants to see a certificate of its clients`
        : `${nameOf(server)} does not take the client certificate of the binding`,
    from: clientCertificate?.from ?? `${server.from} (${answer.said || 'no reason given'})`,
    fix: 'put client_certificate and client_key, signed by the CA of the server, into the credentials',
  }),
}

/** Whether TLS is spoken on both sides or on neither, and the server is who it should be. */
export const tls: Check = {
  id: 'tls.handshake',
  meaning: 'do both sides agree on TLS and on who the server is?',
  needs: ['net.connect'],
  run: (context) => {
    const { planned } = context.plan
    if (planned === undefined) return undefined
    const isTls = planned.endpoint.tls.value
    const made = checkServers(
      context,
      () =>
        isTls
          ? 'TLS, with a certificate that PHP trusts and that has the right name'
          : 'no TLS on either side',
      (reached, store) =>
        reached.answer.state === 'closed' && !isTls
          ? undefined
          : TLS_TROUBLE[reached.answer.state]?.(reached, store),
    )
    return isTls || made?.findings.length !== 0 ? made : undefined
  },
}
