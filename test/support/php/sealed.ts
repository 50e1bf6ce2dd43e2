import { onTestFinished } from 'vitest'
import type { Service } from '../../../lab/bindings.ts'
import { SESSION_KEY } from '../../../lab/bindings.ts'
import { configureManaged, startClusterService, startRedisService } from './managed.ts'
import { startMemcachedService } from './managed-memcached.ts'
import type { PhpUnderTest } from './php.ts'
import { cookieOf, type PhpWeb, startPhpWeb } from './web.ts'

/** Keys as people write them. */
export const KEY = 'jVbmK0gJt8Z5sP3RpmTZwqLq0mB8ZbqX1rjS8v4mC2A='
export const OTHER_KEY = SESSION_KEY

/** A store that tests look into: all that it has, and what they put there. */
export interface Opened {
  readonly service: Service
  /** The names of all keys; undefined where a server does not list them. */
  keys(): readonly string[] | undefined
  get(key: string): Promise<string | undefined>
  set(key: string, value: string): Promise<void>
  /** How long a session lives, where `keys` lists it. */
  seconds(key: string): number
  readonly prefix: string
}

async function openRedis(): Promise<Opened> {
  const { redis, service } = await startRedisService()
  return { service, prefix: 'PHPREDIS_SESSION:', ...lookInto([redis]) }
}

async function openCluster(): Promise<Opened> {
  const { nodes, service } = await startClusterService()
  return { service, prefix: 'PHPREDIS_CLUSTER_SESSION:', ...lookInto(nodes) }
}

function lookInto(nodes: readonly { cli(...args: readonly string[]): string }[]) {
  const keysOf = (node: (typeof nodes)[number]) =>
    node
      .cli('KEYS', '*')
      .split('\n')
      .filter((key) => key !== '')
  const owner = (key: string) => nodes.find((node) => keysOf(node).includes(key))
  const READ =
    "local v=redis.call('GET',KEYS[1]) return (string.gsub(v,'.',function(c) return string.format('%02x',string.byte(c)) end))"
  const WRITE =
    "local v=string.gsub(ARGV[1],'..',function(h) return string.char(tonumber(h,16)) end) return redis.call('SET',KEYS[1],v,'KEEPTTL')"
  return {
    // A replica has the keys of its master.
    keys: () => [...new Set(nodes.flatMap(keysOf))],
    seconds: (key: string) => Number(owner(key)?.cli('TTL', key)),
    get: async (key: string) => {
      const node = owner(key)
      return node === undefined
        ? undefined
        : Buffer.from(node.cli('EVAL', READ, '1', key), 'hex').toString('latin1')
    },
    set: async (key: string, value: string) => {
      const node = owner(key) ?? nodes[0]
      node?.cli('EVAL', WRITE, '1', key, Buffer.from(value, 'latin1').toString('hex'))
    },
  }
}

async function openMemcached(): Promise<Opened> {
  const { service, client } = await startMemcachedService()
  return {
    service,
    prefix: 'memc.sess.key.',
    keys: () => undefined,
    seconds: () => 0,
    get: async (key) => (await client.get(key))?.value,
    set: (key, value) => client.set(key, value, 1000),
  }
}

/** The stores that the managed handler encrypts in. */
export const STORES: readonly (readonly [name: string, open: () => Promise<Opened>])[] = [
  ['Redis', openRedis],
  ['a Redis Cluster', openCluster],
  ['Memcached', openMemcached],
]

/** A page that counts, keeps a word and prints its id; `?quiet` changes nothing; `?read` closes at once; `?out` destroys. */
export const PAGE = `<?php session_start(); if (isset($_GET['read'])) { session_abort(); }
  elseif (isset($_GET['out'])) { session_destroy(); }
  elseif (!isset($_GET['quiet'])) { $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1; $_SESSION['word'] = 'CANARY-of-the-session'; }
  echo $_SESSION['n'] ?? 0, ' ', session_id();`

/** An instance of the app with this setting of keys, and whatever else is set. */
export async function startInstance(
  underTest: PhpUnderTest,
  service: Service,
  keys: string | undefined,
  { env = {}, ini = '', page = PAGE, workers = 4 } = {},
): Promise<PhpWeb> {
  const set = keys === undefined ? {} : { PHP_SESSIONS_ENCRYPTION_KEY: keys }
  const web = await startPhpWeb(
    underTest,
    `${configureManaged(underTest, service, { ...set, ...env })}${ini}`,
    page,
    workers,
  )
  onTestFinished(web.stop)
  return web
}

/** A visitor, perhaps with the id of a session, who goes to any instance; gives the count, and the id of the session. */
export function makeVisitor(known = '') {
  let cookie = known === '' ? '' : `PHPSESSIONID=${known}`
  return async ({ url }: PhpWeb, query = '') => {
    const response = await fetch(`${url}${query}`, { headers: { cookie } })
    const text = await response.text()
    cookie = cookieOf(response) || cookie
    const [, n, id = ''] = /^(\d+) (\S+)$/.exec(text) ?? []
    return { n: n === undefined ? text : Number(n), id, status: response.status }
  }
}
