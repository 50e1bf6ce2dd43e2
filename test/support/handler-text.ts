import { memcached } from '../../src/stores/memcached/memcached.ts'
import { redis } from '../../src/stores/redis/redis.ts'

/** The managed handler of each store as it ships, without a previous store. */
export const HANDLER_TEXT = { redis: redis.managed.text(), memcached: memcached.managed.text() } as const
