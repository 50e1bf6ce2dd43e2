import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Program } from '../../lab/processes/program.ts'
import { startRedisCluster } from '../../lab/redis/cluster.ts'
import type { Redis } from '../../lab/redis/options.ts'
import { startRedis } from '../../lab/redis/server.ts'
import { makeCertificates } from '../../lab/servers/certificates.ts'
import { startMemcached } from '../../lab/servers/memcached.ts'
import { abstractHandler, NO_ABSTRACT } from './abstract.ts'
import { measureRoundTrip, startRelays } from './network.ts'

/** A way to keep sessions, by the environment of php-fpm. */
export interface Contender {
  readonly env: Readonly<Record<string, string>>
  /** Further lines of php-fpm's pools. */
  readonly pool?: readonly string[]
  /** Further lines of php.ini. */
  readonly ini?: readonly string[]
  /** Code at the beginning of each page. */
  readonly code?: string
}

/** Servers, and the contenders that are measured on them; `files` is always one. */
export interface Setup {
  readonly store: string
  readonly conditions: readonly string[]
  /** The nodes whose commands and processor time count; nothing else may ask them. */
  readonly nodes: readonly Redis[]
  readonly contenders: Readonly<Record<string, Contender>>
  stop(): Promise<void>
}

export const PASSWORD = 'secret'

const UNLOCKED = { PHP_SESSIONS_LOCKING: 'off' }
const NATIVE = { PHP_SESSIONS_HANDLER: 'native' }
/** As many requests of one visitor as are measured may wait. */
const MANAGED = { PHP_SESSIONS_HANDLER: 'managed', PHP_SESSIONS_MAX_WAITING: '100' }

/** What the buildpacks of Paketo and Cloud Foundry write for Redis: a new connection for each request, and no lock. */
const peersIni = (port: number): Contender => ({
  env: {},
  pool: [
    'php_admin_value[session.save_handler] = redis',
    `php_admin_value[session.save_path] = "tcp://127.0.0.1:${port}?auth=${PASSWORD}"`,
  ],
})

/** One server, plain and over TLS; a relay adds the delay, in milliseconds, to each round trip. */
export async function oneServer(delay: number, program?: Program): Promise<Setup> {
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
    store: serverName(redis),
    conditions: [`a round trip of ${(await measureRoundTrip(port)).toFixed(2)} ms, by PING`],
    nodes: [redis],
    contenders: {
      files: { env: {} },
      "the peers' ini": peersIni(port),
      ...(NO_ABSTRACT === undefined
        ? { 'php-redis-session-abstract': { env: {}, code: abstractHandler(port, PASSWORD) } }
        : {}),
      'native, no lock': { env: { ...plain, ...NATIVE, ...UNLOCKED } },
      native: { env: { ...plain, ...NATIVE } },
      managed: { env: { ...plain, ...MANAGED } },
      'native, no lock, TLS': { env: { ...secure, ...NATIVE, ...UNLOCKED } },
      'native, TLS': { env: { ...secure, ...NATIVE } },
      'managed, TLS': { env: { ...secure, ...MANAGED } },
    },
    stop: async () => {
      await Promise.all([relays?.stop(), redis.stop()])
      tls.remove()
    },
  }
}

/** A cluster of three masters, plain and over TLS; the native handler has no lock there. */
export async function cluster(program?: Program): Promise<Setup> {
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
    store: `${serverName(nodes[0] as Redis)}, cluster of ${nodes.length} masters`,
    conditions: ["the peers' ini names one server, and PHP then fails on a cluster: it is not measured"],
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
    stop: async () => {
      await stop()
      tls.remove()
    },
  }
}

/** One Memcached, without a login and with one. */
export async function oneMemcached(delay: number): Promise<Setup> {
  const sasl = { username: 'app', password: PASSWORD }
  const [plain, secure] = [await startMemcached(), await startMemcached({ sasl })]
  const relays = delay === 0 ? undefined : await startRelays(delay, [plain.port, secure.port])
  const [port = 0, saslPort = 0] = relays?.ports ?? [plain.port, secure.port]
  const open = { MEMCACHED_URL: `memcached://127.0.0.1:${port}` }
  const login = { MEMCACHED_URL: `memcached://app:${PASSWORD}@127.0.0.1:${saslPort}` }
  return {
    store: memcachedName(),
    conditions: [
      ...(delay === 0 ? [] : [`${delay} ms added to each round trip`]),
      "the peers' ini with SASL: php_buildpack 4 writes PERSISTENT= into the save path, which php-memcached 3 refuses; measured is what that asks for, memcached.sess_persistent",
    ],
    nodes: [],
    contenders: {
      files: { env: {} },
      "the peers' ini": {
        env: {},
        ini: ['extension=memcached'],
        pool: [
          'php_admin_value[session.save_handler] = memcached',
          `php_admin_value[session.save_path] = "127.0.0.1:${port}"`,
        ],
      },
      native: { env: { ...open, ...NATIVE } },
      managed: { env: { ...open, ...MANAGED } },
      "the peers' ini, SASL": {
        env: {},
        ini: ['extension=memcached'],
        pool: [
          'php_admin_value[session.save_handler] = memcached',
          `php_admin_value[session.save_path] = "127.0.0.1:${saslPort}"`,
          'php_admin_value[memcached.sess_persistent] = On',
          'php_admin_value[memcached.sess_binary_protocol] = On',
          `php_admin_value[memcached.sess_sasl_username] = ${sasl.username}`,
          `php_admin_value[memcached.sess_sasl_password] = ${sasl.password}`,
        ],
      },
      'native, SASL': { env: { ...login, ...NATIVE } },
      'managed, SASL': { env: { ...login, ...MANAGED } },
    },
    stop: async () => {
      await Promise.all([relays?.stop(), plain.stop(), secure.stop()])
    },
  }
}

/** The name and version that the server itself gives. */
export function serverName(redis: Redis): string {
  const info = redis.cli('INFO', 'server')
  const fieldOf = (field: string) => new RegExp(`^${field}:(\\S+)`, 'm').exec(info)?.[1]
  const valkey = fieldOf('valkey_version')
  return valkey === undefined ? `Redis ${fieldOf('redis_version')}` : `Valkey ${valkey}`
}

/** Those of a Redis that is started for it, and of Memcached. */
export async function storeNames(): Promise<string> {
  const redis = await startRedis()
  const names = `${serverName(redis)}; ${memcachedName()}`
  await redis.stop()
  return names
}

/** As the program gives it. */
export function memcachedName(): string {
  return execFileSync('memcached', ['-V'], { encoding: 'utf8' }).trim()
}
