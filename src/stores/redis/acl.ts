import type { Endpoint } from '../../core/endpoint.ts'
import type { Handler, Options } from '../../core/options.ts'

const MANAGED = [
  ...['get', 'set', 'setex', 'expire', 'pexpire', 'pttl', 'del', 'exists', 'echo', 'eval', 'evalsha', 'time'],
  ...['blpop', 'lpush', 'zadd', 'zcard', 'zrem', 'zremrangebyscore'],
]

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
  managed: { server: MANAGED, cluster: [...MANAGED, 'cluster|slots', 'asking'] },
}

/** What the names of the keys begin with: phpredis' own prefixes, unless the user has decided. */
export function keyPrefix({ topology }: Pick<Endpoint, 'topology'>, options: Options): string {
  const own = topology.value === 'cluster' ? 'PHPREDIS_CLUSTER_SESSION:' : 'PHPREDIS_SESSION:'
  return options.PHP_SESSIONS_PREFIX ?? own
}

/** The keys of sessions as an ACL names them; on a cluster the managed handler's others have braces, for the slot. */
export function keyPatterns(
  endpoint: Pick<Endpoint, 'topology'>,
  handler: Handler,
  options: Options,
): readonly string[] {
  const prefix = keyPrefix(endpoint, options)
  const isBraced = handler === 'managed' && endpoint.topology.value === 'cluster'
  return isBraced ? [`~${prefix}*`, `~{${prefix}*`] : [`~${prefix}*`]
}

/**
 * The command that makes a Redis user who can keep these sessions and nothing else.
 *
 * The password is left to whoever runs it.
 */
export function redisAcl(endpoint: Endpoint, handler: Handler, options: Options): string {
  const { topology, user, database } = endpoint
  const name = user === undefined || user.value === 'default' ? 'php-sessions' : user.value
  const commands = [
    ...COMMANDS[handler][topology.value === 'cluster' ? 'cluster' : 'server'],
    // The start looks at what a server that the Sentinels name says of itself.
    ...(topology.value === 'sentinel' ? ['role'] : []),
    ...(database === undefined || database.value === 0 ? [] : ['select']),
  ]
  const rights = [...keyPatterns(endpoint, handler, options), ...commands.map((command) => `+${command}`)]
  return `ACL SETUSER ${quote(name)} reset on >PASSWORD ${rights.join(' ')}`
}

function quote(name: string): string {
  return /^[A-Za-z0-9._-]+$/.test(name) ? name : `"${name.replace(/["\\]/g, '\\$&')}"`
}
