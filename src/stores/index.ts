import type { StoreName } from '../core/endpoint.ts'
import { memcached } from './memcached/memcached.ts'
import { redis } from './redis/redis.ts'
import type { Store } from './store.ts'

const BY_NAME: Readonly<Record<StoreName, Store>> = { redis, memcached }

/** Every store. If services of several kinds are bound, the first store here is preferred. */
export const stores: readonly Store[] = Object.values(BY_NAME)
