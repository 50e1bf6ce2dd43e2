import { memcached } from './memcached/memcached.ts'
import { redis } from './redis/redis.ts'
import type { Store } from './store.ts'

/** Every store, in order of preference when several are bound. */
export const stores: readonly Store[] = [redis, memcached]
