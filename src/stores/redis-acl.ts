import type { Endpoint } from '../core/endpoint.ts'
import type { Options } from '../core/options.ts'

/**
 * What phpredis' handlers send for sessions, locks, strict mode and the check of a kept connection included.
 *
 * Found in the statistics of a server while sessions did all that PHP can do with them; test/php/acl.test.ts holds
 * that none is missing and none too many. The scripts of `EVAL` use `get` and `del`.
 */
const COMMANDS = ['get', 'set', 'setex', 'expire', 'del', 'exists', 'echo', 'eval', 'evalsha']
const CLUSTER_COMMANDS = ['get', 'set', 'setex', 'expire', 'del', 'exists', 'echo', 'cluster|slots', 'asking']

/** phpredis' own prefixes. */
const PREFIX = { single: 'PHPREDIS_SESSION:', cluster: 'PHPREDIS_CLUSTER_SESSION:' }

/**
 * The command that makes a Redis user who can keep these sessions and nothing else.
 *
 * The password is left to whoever runs it.
 */
export function redisAcl({ topology, user, database }: Endpoint, options: Options): string {
  const isCluster = topology.value === 'cluster'
  const prefix = options.PHP_SESSIONS_PREFIX ?? (isCluster ? PREFIX.cluster : PREFIX.single)
  const name = user === undefined || user.value === 'default' ? 'php-sessions' : user.value
  const commands = [
    ...(isCluster ? CLUSTER_COMMANDS : COMMANDS),
    // The start looks at what a server that the Sentinels name says of itself.
    ...(topology.value === 'sentinel' ? ['role'] : []),
    ...(database === undefined || database.value === 0 ? [] : ['select']),
  ]
  return `ACL SETUSER ${quote(name)} reset on >PASSWORD ~${prefix}* ${commands.map((command) => `+${command}`).join(' ')}`
}

function quote(name: string): string {
  return /^[A-Za-z0-9._-]+$/.test(name) ? name : `"${name.replace(/["\\]/g, '\\$&')}"`
}
