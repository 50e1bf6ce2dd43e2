import type { Address } from '../../../core/address.ts'
import type { Sourced } from '../../../core/binding.ts'
import type { Finding } from '../../../core/finding.ts'
import { serverName } from '../../server-name.ts'

/** Answers of a server that is unusable, whatever it was sent, and their meaning. */
interface ServerError {
  readonly pattern: RegExp
  readonly id: string
  title(server: string, said: string): string
  readonly fix: string
}

/**
 * The words of Redis 4 to 8, Valkey, KeyDB, Dragonfly, of managed services, and of the proxies Envoy, twemproxy and
 * predixy. A script adds its own words before those of the command in it.
 */
const SERVER_ERRORS: readonly ServerError[] = [
  {
    pattern: /max(imum)? (number of |concurrent )?(clients|connections)/i,
    id: 'redis.clients',
    title: (server, said) => `${server} has reached its connection limit: ${said}`,
    fix: 'use a plan with more connections, fewer workers of php-fpm (pm.max_children), or fewer instances',
  },
  {
    pattern: /^DENIED/,
    id: 'redis.protected',
    title: (server) =>
      `${server} is in protected mode: without a password it accepts connections from its own machine only`,
    fix: 'set a password there (requirepass) and put it into the credentials',
  },
  {
    pattern: /\bLOADING\b/,
    id: 'redis.loading',
    title: (server, said) => `${server} has just started and is still loading its data: ${said}`,
    fix: 'wait until it has loaded them; if that takes long, look in the log of the server',
  },
  {
    pattern: /\bBUSY\b/,
    id: 'redis.busy',
    title: (server, said) => `${server} runs a script that does not end: ${said}`,
    fix: 'end it: redis-cli SCRIPT KILL; then find the app that runs it',
  },
  {
    pattern: /\bMISCONF\b/,
    id: 'redis.misconf',
    title: (server, said) => `${server} accepts no more writes, because it cannot save its data: ${said}`,
    fix: 'look in the log of the server: the disk may be full, or its directory not writable',
  },
  {
    pattern: /\bNOREPLICAS\b/,
    id: 'redis.no-replicas',
    title: (server, said) => `${server} accepts no writes, because too few replicas follow it: ${said}`,
    fix: 'bring the replicas back, or lower min-replicas-to-write on the server',
  },
  {
    pattern: /\bMASTERDOWN\b/,
    id: 'redis.replica',
    title: (server, said) => `${server} is a replica that has lost its master: ${said}`,
    fix: 'bind the master, or a name that always leads to the master',
  },
  {
    pattern: /\bCLUSTERDOWN\b/,
    id: 'redis.cluster-down',
    title: (_, said) => `the Redis Cluster is down: ${said}`,
    fix: 'run redis-cli --cluster check HOST:PORT to see which slots have no node; the operator of the service must bring the nodes back',
  },
  {
    pattern:
      /upstream|no healthy|no server connection|^(ERR )?(Connection (refused|reset|timed out)|Host is down|No route to host)/i,
    id: 'redis.proxy',
    title: (server, said) => `a proxy answers at ${server}, but cannot reach the server behind it: ${said}`,
    fix: 'look in the log of the proxy, and check that the server behind it runs',
  },
]

/** What an error of a server means, where that does not depend on the command; undefined for all other errors. */
export function findServerError(
  server: Sourced<Address> | undefined,
  said: string,
  quote: (said: string) => string,
): Omit<Finding, 'level' | 'from'> | undefined {
  const words = said.replace(/^-/, '')
  const error = SERVER_ERRORS.find(({ pattern }) => pattern.test(words))
  if (error === undefined) return undefined
  return { id: error.id, title: error.title(serverName(server), quote(words)), fix: error.fix }
}

/** A command that got no answer, or made the server close the connection. */
export function describeBroken(
  server: Sourced<Address> | undefined,
  {
    command,
    isSilent,
    said,
  }: { readonly command: string; readonly isSilent: boolean; readonly said: string },
  quote: (said: string) => string,
): Omit<Finding, 'level' | 'from'> {
  const name = serverName(server)
  if (isSilent)
    return {
      id: 'net.silent',
      title: `${name} does not answer ${command} in time`,
      fix: 'restart the service, or ask its operator what it is doing; a proxy in between may not know this command',
    }
  if (/protocol error|processing response/i.test(said))
    return {
      id: 'net.foreign',
      title: `${name} answers ${command} with something that is not Redis' protocol: ${quote(said)}`,
      fix: 'correct host and port in the credentials',
    }
  return {
    id: 'net.closed',
    title: `${name} closes the connection at ${command}: ${quote(said)}`,
    fix: 'look in the log of the server; a proxy in between may not know this command',
  }
}
