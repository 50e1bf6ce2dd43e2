import { readFileSync } from 'node:fs'
import type { Program } from '../lab/debian13.ts'
import { startRedisCluster } from '../lab/redis/cluster.ts'
import type { Redis } from '../lab/redis/options.ts'
import { startRedis } from '../lab/redis/server.ts'
import { makeCertificates } from '../lab/servers/certificates.ts'
import { measureRoundTrip, startRelays } from './network.ts'

/** Who keeps the sessions, as php-fpm is told it; `files` is one of them everywhere. */
export interface Contender {
  readonly env: Readonly<Record<string, string>>
  /** Further lines of its pools. */
  readonly pool?: readonly string[]
}

/** Servers, and who is measured on them. */
export interface Setup {
  readonly title: string
  /** Whose statistics count; nobody else may ask them. */
  readonly nodes: readonly Redis[]
  readonly contenders: Readonly<Record<string, Contender>>
  /** What each is compared with beside `files`. */
  readonly bases: readonly string[]
  stop(): Promise<void>
}

export const PASSWORD = 'secret'

/** What the contenders that are asked for a lock are not, or that is ours. */
const UNLOCKED = { PHP_SESSIONS_LOCKING: 'off' }
const MANAGED = { PHP_SESSIONS_HANDLER: 'managed' }

/** One server, plain and over TLS; a round trip to it is longer by so many milliseconds. */
export async function oneServer(program: Program | undefined, delay: number): Promise<Setup> {
  const tls = makeCertificates()
  const redis = await startRedis({ program, password: PASSWORD, tls })
  const direct = [redis.port, redis.tlsPort ?? 0]
  const relays = delay === 0 ? undefined : await startRelays(delay, direct)
  const [port = 0, tlsPort = 0] = relays?.ports ?? direct
  const plain = { REDIS_URL: `redis://:${PASSWORD}@127.0.0.1:${port}` }
  const secure = {
    REDIS_URL: `rediss://:${PASSWORD}@localhost:${tlsPort}`,
    REDIS_CA: readFileSync(tls.ca, 'utf8'),
  }
  return {
    title: `${nameOf(redis)}, a round trip of ${(await measureRoundTrip(port)).toFixed(2)} ms`,
    nodes: [redis],
    contenders: {
      files: { env: {} },
      'native, no lock': { env: { ...plain, ...UNLOCKED } },
      native: { env: plain },
      managed: { env: { ...plain, ...MANAGED } },
      'native, no lock, TLS': { env: { ...secure, ...UNLOCKED } },
      'native, TLS': { env: secure },
      'managed, TLS': { env: { ...secure, ...MANAGED } },
    },
    bases: ['native', 'native, TLS'],
    stop: async () => {
      await Promise.all([relays?.stop(), redis.stop()])
      tls.remove()
    },
  }
}

/** Three masters, plain and over TLS; the native handler has no lock there. */
export async function cluster(program: Program | undefined): Promise<Setup> {
  const tls = makeCertificates()
  const { nodes, stop } = await startRedisCluster({ program, password: PASSWORD, tls, replicas: 0 })
  const at = (port: 'port' | 'tlsPort') => nodes.map((node) => `127.0.0.1:${node[port]}`).join()
  const plain = { REDIS_CLUSTER_NODES: at('port'), REDIS_PASSWORD: PASSWORD }
  const secure = {
    REDIS_CLUSTER_NODES: at('tlsPort'),
    REDIS_PASSWORD: PASSWORD,
    REDIS_TLS: 'true',
    REDIS_CA: readFileSync(tls.ca, 'utf8'),
  }
  return {
    title: `cluster of ${nodes.length} masters, ${nameOf(nodes[0] as Redis)}`,
    nodes,
    contenders: {
      files: { env: {} },
      native: { env: plain },
      'native, slot cache': { env: plain, pool: ['php_admin_value[redis.clusters.cache_slots] = 1'] },
      'managed, no lock': { env: { ...plain, ...MANAGED, ...UNLOCKED } },
      managed: { env: { ...plain, ...MANAGED } },
      'native, TLS': { env: secure },
      'managed, TLS': { env: { ...secure, ...MANAGED } },
    },
    bases: ['native', 'native, slot cache', 'native, TLS'],
    stop: async () => {
      await stop()
      tls.remove()
    },
  }
}

/** As it tells it itself. */
function nameOf(redis: Redis): string {
  const info = redis.cli('INFO', 'server')
  const tell = (field: string) => new RegExp(`^${field}:(\\S+)`, 'm').exec(info)?.[1]
  const valkey = tell('valkey_version')
  return valkey === undefined ? `Redis ${tell('redis_version')}` : `Valkey ${valkey}`
}
