import { setTimeout as sleep } from 'node:timers/promises'
import type { Program } from '../../lab/processes/program.ts'
import type { Redis } from '../../lab/redis/options.ts'
import { startRedis } from '../../lab/redis/server.ts'
import { makePassword } from './password.ts'
import { bind, type PlayStore, type StoreOptions } from './store.ts'

const RESTART_MILLISECONDS = 1500

/** Ends the connections of all apps, but not the one of this command. */
export const CUT = ['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'] as const

/** One Redis or Valkey that keeps its data on disk. Apps log in as the default user; the playground has a user of its own. */
export async function startOneRedis(
  kind: 'redis' | 'valkey',
  { name }: StoreOptions,
  program?: Program,
): Promise<PlayStore> {
  const user = { name: 'playground', password: makePassword() }
  let password = makePassword()
  const start = (at?: Redis) =>
    startRedis({ program, password, user, keeps: true, ...(at === undefined ? {} : { at }) })
  let redis = await start()
  const services = () => bind('redis', { host: redis.host, port: redis.port, password }, name)
  return {
    kind,
    title: kind === 'redis' ? 'Redis' : 'Valkey',
    services,
    freeze: () => redis.signal('SIGSTOP'),
    thaw: () => redis.signal('SIGCONT'),
    restart: async () => {
      redis.signal('SIGTERM')
      await sleep(RESTART_MILLISECONDS)
      redis = await start(redis)
    },
    rotate: async () => {
      password = makePassword()
      await redis.batch([['ACL', 'SETUSER', 'default', 'resetpass', `>${password}`], CUT])
    },
    keys: () => keysOf(redis),
    stop: () => redis.stop(),
  }
}

export function keysOf(redis: Redis): readonly string[] {
  return redis
    .cli('KEYS', '*')
    .split('\n')
    .filter((key) => key !== '')
}
