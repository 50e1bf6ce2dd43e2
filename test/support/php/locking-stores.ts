import type { Service } from '../../../lab/bindings.ts'
import type { Redis } from '../../../lab/redis/options.ts'
import { startClusterService, startRedisService } from './managed.ts'
import {
  lockTextOf,
  MEMCACHED_SERVERS,
  PREFIX,
  startMemcachedService,
  waitingIn,
} from './managed-memcached.ts'

/** A running store whose locks the managed handler keeps. */
export interface LockingStore {
  readonly service: Service
  /** What the lock of a session has; empty without a lock. */
  lock(id: string): Promise<string>
  /** How many wait for a session. */
  waiting(id: string): Promise<number>
  /** Locks a session with this text, for a minute. */
  setLock(id: string, text: string): Promise<void>
}

type Cli = Redis['cli']

const overCli = (cli: Cli, nameOf: (id: string) => string): Omit<LockingStore, 'service'> => ({
  lock: async (id) => cli('GET', `${nameOf(id)}_LOCK`),
  waiting: async (id) => Number(cli('ZCARD', `${nameOf(id)}_WAIT`)),
  setLock: async (id, text) => void cli('SET', `${nameOf(id)}_LOCK`, text, 'PX', '60000'),
})

/** Every kind of store, started until the test ends. */
export const LOCKING_STORES: readonly (readonly [name: string, start: () => Promise<LockingStore>])[] = [
  [
    'one Redis',
    async () => {
      const { redis, service } = await startRedisService()
      return { service, ...overCli(redis.cli, (id) => `PHPREDIS_SESSION:${id}`) }
    },
  ],
  [
    'a Redis Cluster',
    async () => {
      const { cluster, service } = await startClusterService()
      return { service, ...overCli(cluster.cli, (id) => `{PHPREDIS_CLUSTER_SESSION:${id}}`) }
    },
  ],
  ...MEMCACHED_SERVERS.map(
    ([name, which]) =>
      [
        `Memcached with ${name}`,
        async (): Promise<LockingStore> => {
          const { service, client } = await startMemcachedService(which)
          const lock = (id: string) => lockTextOf(client, id)
          return {
            service,
            lock,
            waiting: async (id) => waitingIn(await lock(id)).length,
            setLock: async (id, text) => void (await client.set(`${PREFIX}lock.${id}`, text, 60)),
          }
        },
      ] as const,
  ),
]

/** Starts one of them. */
export async function startRow(row: number): Promise<LockingStore> {
  const [, start] = LOCKING_STORES[row] ?? []
  if (start === undefined) throw new Error('there is no such store')
  return start()
}
