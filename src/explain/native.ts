import type { Endpoint, StoreName } from '../core/endpoint.ts'
import type { Options } from '../core/options.ts'

/** What the locks of the extensions' own handlers cost, for people who choose between native and managed. */
export function describeNativeCosts(
  store: StoreName,
  { topology }: Endpoint,
  { PHP_SESSIONS_LOCKING: hasLocks }: Options,
): readonly string[] {
  if (!hasLocks) return []
  if (store === 'memcached')
    return ['a late request can write an older session over a newer one, locks or not']
  if (topology.value === 'cluster') return ['no locks: parallel requests overwrite each other']
  return [
    'each session_reset() waits for the lock of its own request, 30 s by default',
    'phpredis 5.3 releases the lock before session_destroy() and session_regenerate_id(true) delete: a request that waits can write the old session back, which undoes a logout',
  ]
}
