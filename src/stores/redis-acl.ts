import type { Endpoint } from '../core/endpoint.ts'
import type { Handler, Options } from '../core/options.ts'

/**
 * What each handler sends for sessions, locks, strict mode and the check of a kept connection included; scripts use
 * commands of these.
 *
 * Found in the statistics of a server while sessions did all that PHP can do with them; test/php/acl.test.ts holds
 * that none is missing and none too many.
 */
const COMMANDS: Readonly<Record<Handler, Readonly<Record<'server' | 'cluster', readonly string[]>>>> = {
  native: {
    server: ['get', 'set', 'setex', 'expire', 'del', 'exists', 'echo', 'eval', 'evalsha'],
    cluster: ['get', 'set', 'setex', 'expire', 'del', 'exists', 'echo', 'cluster|slots', 'asking'],
  },
  // With those of the native one, which goes on where this one is bypassed.
  managed: {
    server: [
      ...['get', 'set', 'setex', 'expire', 'pexpire', 'del', 'exists', 'echo', 'eval', 'evalsha'],
      ...['blpop', 'lpush', 'sadd', 'srem', 'scard'],
    ],
    cluster: [
      ...['get', 'set', 'setex', 'expire', 'pexpire', 'del', 'exists', 'echo', 'eval', 'evalsha'],
      ...['blpop', 'lpush', 'sadd', 'srem', 'scard'],
      ...['cluster|slots', 'asking'],
    ],
  },
}

/** phpredis' own prefixes. */
const PREFIX = { single: 'PHPREDIS_SESSION:', cluster: 'PHPREDIS_CLUSTER_SESSION:' }

/**
 * The command that makes a Redis user who can keep these sessions and nothing else.
 *
 * The password is left to whoever runs it.
 */
export function redisAcl(
  { topology, user, database }: Endpoint,
  { PHP_SESSIONS_PREFIX: ownPrefix, PHP_SESSIONS_HANDLER: handler }: Options,
): string {
  const isCluster = topology.value === 'cluster'
  const prefix = ownPrefix ?? (isCluster ? PREFIX.cluster : PREFIX.single)
  const name = user === undefined || user.value === 'default' ? 'php-sessions' : user.value
  const keys = handler === 'managed' ? [`~${prefix}*`, `~{${prefix}*`] : [`~${prefix}*`]
  const commands = [
    ...COMMANDS[handler][isCluster ? 'cluster' : 'server'],
    // The start looks at what a server that the Sentinels name says of itself.
    ...(topology.value === 'sentinel' ? ['role'] : []),
    ...(database === undefined || database.value === 0 ? [] : ['select']),
  ]
  const rights = [...keys, ...commands.map((command) => `+${command}`)]
  return `ACL SETUSER ${quote(name)} reset on >PASSWORD ${rights.join(' ')}`
}

function quote(name: string): string {
  return /^[A-Za-z0-9._-]+$/.test(name) ? name : `"${name.replace(/["\\]/g, '\\$&')}"`
}
