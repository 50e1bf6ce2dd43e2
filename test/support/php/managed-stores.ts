import { CANARY, type Service } from '../../../lab/bindings.ts'
import type { RedisOptions } from '../../../lab/redis/options.ts'
import type { MemcachedOptions } from '../../../lab/servers/memcached.ts'
import { startRedisService } from './managed.ts'
import { PREFIX, startMemcachedService } from './managed-memcached.ts'
import { PHPS } from './php.ts'

/** A server that keeps the sessions of the managed handler, and how a test looks into it. */
export interface ManagedStore {
  readonly service: Service
  /** All keys, where the server lists them: a Memcached that speaks no text does not. */
  keys(): Promise<readonly string[]>
  /** The locks that are left; where the server lists no keys, those of these sessions. */
  locks(...ids: readonly string[]): Promise<readonly string[]>
  /** Removes everything. */
  empty(): Promise<void>
  stop(): Promise<void>
}

/** Starts a server until the test ends. */
export type StartStore = (options?: StoreOptions) => Promise<ManagedStore>

export interface StoreOptions {
  /** Whether the server asks for the canary; else it is as lists of keys need it. */
  readonly hasLogin?: boolean
}

export function startRedisStore(options: RedisOptions = {}): StartStore {
  return async ({ hasLogin = true } = {}) => {
    const login = hasLogin ? { password: CANARY } : { password: undefined }
    const { redis, service } = await startRedisService({ ...options, ...login })
    const keys = async (pattern = '*') => redis.cli('KEYS', pattern).split('\n').filter(Boolean)
    return {
      service,
      keys,
      locks: () => keys('*_LOCK'),
      empty: async () => void redis.cli('FLUSHALL'),
      stop: redis.stop,
    }
  }
}

/** With room for the largest session of a test. */
export function startMemcachedStore(options: MemcachedOptions = { more: '-I 8m' }): StartStore {
  return async ({ hasLogin = false } = {}) => {
    const sasl = { username: 'app', password: CANARY }
    const which = hasLogin ? { ...options, sasl } : options
    const { server, service, client } = await startMemcachedService(which)
    const hasKeys = which.sasl === undefined && which.more !== '-B binary'
    const isLock = (key: string) => key.startsWith(`${PREFIX}lock.`)
    const known = async (ids: readonly string[]) => {
      const found = await Promise.all(ids.map((id) => client.get(`${PREFIX}lock.${id}`)))
      return ids.filter((_, i) => found[i] !== undefined)
    }
    return {
      service,
      keys: client.keys,
      locks: async (...ids) => (hasKeys ? (await client.keys()).filter(isLock) : known(ids)),
      empty: client.flush,
      stop: server.stop,
    }
  }
}

/** One server of each kind. */
export const MANAGED_STORES: readonly (readonly [name: string, start: StartStore])[] = [
  ['Redis', startRedisStore()],
  ['Memcached', startMemcachedStore()],
]

/** Each PHP with each of them. */
export const PHPS_AND_STORES = PHPS.flatMap(([php, underTest]) =>
  MANAGED_STORES.map(([store, start]) => [`${php}, ${store}`, underTest, start] as const),
)

/** The same without Memcached on further PHPs, for what is no matter of PHP's version there. */
export const PHPS_AND_STORES_ONCE = PHPS_AND_STORES.filter(
  ([, underTest], i) => underTest === PHPS[0]?.[1] || i % MANAGED_STORES.length === 0,
)
