import { readFileSync } from 'node:fs'
import type { Program } from '../lab/processes/program.ts'
import { startRedisCluster } from '../lab/redis/cluster.ts'
import type { Redis } from '../lab/redis/options.ts'
import { startRedis } from '../lab/redis/server.ts'
import { makeCertificates } from '../lab/servers/certificates.ts'
import { measureRoundTrip, startRelays } from './network.ts'

/** A way to keep sessions, by the environment of php-fpm. */
export interface Contender {
  readonly env: Readonly<Record<string, string>>
  /** Further lines of php-fpm's pools. */
  readonly pool?: readonly string[]
}

/** Servers, and the contenders that are measured on them; `files` is always one. */
export interface Setup {
  readonly title: string
  /** The nodes whose statistics count; nothing else may ask them. */
  readonly nodes: readonly Redis[]
  readonly contenders: Readonly<Record<string, Contender>>
  /** The contenders that each one is compared with, beside `files`. */
  readonly bases: readonly string[]
  stop(): Promise<void>
}

export const PASSWORD = 'secret'

const UNLOCKED = { PHP_SESSIONS_LOCKING: 'off' }
const NATIVE = { PHP_SESSIONS_HANDLER: 'native' }
/** As many requests of one visitor as are measured may wait. */
const MANAGED = { PHP_SESSIONS_HANDLER: 'managed', PHP_SESSIONS_MAX_WAITING: '100' }

/** What the buildpacks of Paketo and Cloud Foundry write: a new connection for each request, and no lock. */
const peersIni = (port: number): Contender => ({
  env: {},
  pool: [
    'php_admin_value[session.save_handler] = redis',
    `php_admin_value[session.save_path] = "tcp://127.0.0.1:${port}?auth=${PASSWORD}"`,
  ],
})

/** One server, plain and over TLS; a relay adds the delay, in milliseconds, to each round trip. */
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
    title: `${serverName(redis)}, a round trip of ${(await measureRoundTrip(port)).toFixed(2)} ms`,
    nodes: [redis],
    contenders: {
      files: { env: {} },
      'native, no lock': { env: { ...plain, ...UNLOCKED } },
      native: { env: plain },
      managed: { env: { ...plain, ...MANAGED } },
      "the peers' ini": peersIni(port),
      'native, no lock, TLS': { env: { ...secure, ...UNLOCKED } },
      'native, TLS': { env: secure },
      'managed, TLS': { env: { ...secure, ...MANAGED } },
    },
    bases: ['native', "the peers' ini", 'native, TLS'],
    stop: async () => {
      await Promise.all([relays?.stop(), redis.stop()])
      tls.remove()
    },
  }
}

/** A cluster of three masters, plain and over TLS; the native handler has no lock there. */
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
    title: `cluster of ${nodes.length} masters, ${serverName(nodes[0] as Redis)}`,
    nodes,
    contenders: {
      files: { env: {} },
      native: { env: { ...plain, ...NATIVE } },
      'native, slot cache': {
        env: { ...plain, ...NATIVE },
        pool: ['php_admin_value[redis.clusters.cache_slots] = 1'],
      },
      'managed, no lock': { env: { ...plain, ...MANAGED, ...UNLOCKED } },
      managed: { env: { ...plain, ...MANAGED } },
      'native, TLS': { env: { ...secure, ...NATIVE } },
      'managed, TLS': { env: { ...secure, ...MANAGED } },
    },
    bases: ['native', 'native, slot cache', 'native, TLS'],
    stop: async () => {
      await stop()
      tls.remove()
    },
  }
}

/** The name and version that the server itself gives. */
function serverName(redis: Redis): string {
  const info = redis.cli('INFO', 'server')
  const fieldOf = (field: string) => new RegExp(`^${field}:(\\S+)`, 'm').exec(info)?.[1]
  const valkey = fieldOf('valkey_version')
  return valkey === undefined ? `Redis ${fieldOf('redis_version')}` : `Valkey ${valkey}`
}
