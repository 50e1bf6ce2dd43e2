import { connect } from 'node:net'
import { onTestFinished } from 'vitest'
import { CANARY, memcachedService, redisService, type Service } from '../../../lab/bindings.ts'
import { startContained } from '../../../lab/processes/contained.ts'
import { until } from '../../../lab/processes/until.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { PREFIX, startMemcachedService } from '../php/managed-memcached.ts'

/** A server that an app is bound to, and what a test sees of it. */
export interface AppStore {
  readonly service: Service
  readonly port: number
  /** The key of the session with this id. */
  key(id: string | undefined): string
  keys(): Promise<readonly string[]>
  /** Which handler has kept a session since the start. */
  keeper(): Promise<'managed' | 'native' | undefined>
  stop(): Promise<void>
}

/** The kinds of servers, each started until the test ends. */
export const APP_STORES = {
  Redis: startRedisStore,
  Memcached: () => startMemcachedStore(false),
  'Memcached with a login': () => startMemcachedStore(true),
} as const satisfies Record<string, () => Promise<AppStore>>

async function startRedisStore(): Promise<AppStore> {
  const redis = await startRedis({ password: CANARY })
  onTestFinished(redis.stop)
  const commands = await watchSessions(redis.port)
  return {
    service: { ...redisService, credentials: { host: redis.host, port: redis.port, password: CANARY } },
    port: redis.port,
    key: (id) => `PHPREDIS_SESSION:${id}`,
    keys: async () => redis.cli('KEYS', '*').split('\n').filter(Boolean),
    keeper: async () => {
      if (commands().has('SETEX')) return 'native'
      return commands().has('EVALSHA') ? 'managed' : undefined
    },
    stop: redis.stop,
  }
}

/** Watches the commands on sessions that clients send to Redis; the commands of scripts do not count. */
async function watchSessions(port: number): Promise<() => ReadonlySet<string>> {
  const env = { PATH: process.env.PATH, REDISCLI_AUTH: CANARY }
  const monitor = startContained({ file: 'redis-cli', args: ['-p', String(port), 'MONITOR'], env })
  onTestFinished(() => monitor.signal('SIGTERM'))
  await until('redis-cli to watch', () => monitor.stdout().startsWith('OK'))
  return () => {
    const lines = monitor.stdout().matchAll(/^\S+ \[\d+ (?!lua).*?\] "(\w+)" .*PHPREDIS_SESSION:/gm)
    return new Set([...lines].map(([, command = '']) => command.toUpperCase()))
  }
}

/** A server with a login does not list keys. */
async function startMemcachedStore(hasLogin: boolean): Promise<AppStore> {
  const options = hasLogin ? { sasl: { username: 'app', password: CANARY } } : {}
  const { server, service, client } = await startMemcachedService(options)
  return {
    service: { ...memcachedService, credentials: service.credentials },
    port: server.port,
    key: (id) => `${PREFIX}${id}`,
    keys: client.keys,
    keeper: async () => {
      const stats = await statsOf(server.port)
      if ((stats.get('cas_hits') ?? 0) > 0) return 'managed'
      return (stats.get('cmd_set') ?? 0) > 0 ? 'native' : undefined
    },
    stop: server.stop,
  }
}

/** The counts of a server. Only the managed handler writes by `cas`. */
async function statsOf(port: number): Promise<ReadonlyMap<string, number>> {
  const socket = connect(port, '127.0.0.1')
  socket.write('stats\r\n')
  let said = ''
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    said += chunk.toString('latin1')
    if (said.endsWith('END\r\n')) break
  }
  const lines = said.matchAll(/^STAT (\S+) (\d+)\r$/gm)
  return new Map([...lines].map(([, name = '', count]) => [name, Number(count)]))
}
