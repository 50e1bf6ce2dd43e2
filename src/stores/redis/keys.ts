import type { Endpoint } from '../../core/endpoint.ts'
import type { Handler, Options } from '../../core/options.ts'

type Placed = Pick<Endpoint, 'topology'>

/** What phpredis' own prefix is for one server. */
export const PHPREDIS_PREFIX = 'PHPREDIS_SESSION:'

/** What the names of the keys begin with: phpredis' own prefix, unless the user has chosen one. */
export function redisKeyPrefix({ topology }: Placed, { PHP_SESSIONS_PREFIX }: Options): string {
  const own = topology.value === 'cluster' ? 'PHPREDIS_CLUSTER_SESSION:' : PHPREDIS_PREFIX
  return PHP_SESSIONS_PREFIX ?? own
}

/**
 * The keys of sessions, as an ACL names them.
 *
 * On a cluster, and at one address that may hide a cluster, the managed handler has keys in braces too, so that all
 * keys of a session are in one slot.
 */
export function redisKeyPatterns(endpoint: Placed, handler: Handler, options: Options): readonly string[] {
  const prefix = redisKeyPrefix(endpoint, options)
  const hasBraces = handler === 'managed' && ['cluster', 'single'].includes(endpoint.topology.value)
  return hasBraces ? [`~${prefix}*`, `~{${prefix}*`] : [`~${prefix}*`]
}
