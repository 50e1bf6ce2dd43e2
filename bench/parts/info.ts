import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { startRedisCluster } from '../../lab/redis/cluster.ts'
import type { Redis } from '../../lab/redis/options.ts'
import { startRedis } from '../../lab/redis/server.ts'
import type { Certificates } from '../../lab/servers/certificates.ts'
import { PASSWORD } from './setups.ts'

/** A number that a server gives in INFO. */
export function infoNumber(node: Redis, section: string, field: string): number {
  return Number(new RegExp(`^${field}:([\\d.]+)`, 'm').exec(node.cli('INFO', section))?.[1] ?? Number.NaN)
}

/** The processor time that these servers have used so far, in microseconds. */
export function storeMicroseconds(nodes: readonly Redis[]): number {
  const used = nodes.flatMap((node) =>
    ['used_cpu_sys', 'used_cpu_user'].map((field) => infoNumber(node, 'cpu', field)),
  )
  return used.reduce((sum, seconds) => sum + seconds * 1e6, 0)
}

/** The processor time that servers use each second while nobody asks them, by looking so many seconds. */
export async function idleMicroseconds(nodes: readonly Redis[], seconds: number): Promise<number> {
  const before = storeMicroseconds(nodes)
  await sleep(seconds * 1000)
  return (storeMicroseconds(nodes) - before) / seconds
}

/** Connections of clients, without the one that asks. */
export function connectionsOf(node: Redis): number {
  return infoNumber(node, 'clients', 'connected_clients') - 1
}

/** Waits until a number stays the same for so many looks, which are half a second apart. */
export async function untilItRests(look: () => number, looks = 4): Promise<number> {
  for (let [last, same] = [Number.NaN, 0]; ; ) {
    const now = look()
    same = now === last ? same + 1 : 0
    if (same === looks) return now
    last = now
    await sleep(500)
  }
}

/** Masters that share the sessions, and the environment that binds them; one master is no cluster. */
export interface Store {
  readonly nodes: readonly Redis[]
  readonly env: Readonly<Record<string, string>>
  stop(): Promise<void>
}

export async function startStore(masters: number, tls?: Certificates): Promise<Store> {
  const options = { password: PASSWORD, ...(tls === undefined ? {} : { tls }) }
  const port = tls === undefined ? 'port' : 'tlsPort'
  const secure = tls === undefined ? {} : { REDIS_TLS: 'true', REDIS_CA: readFileSync(tls.ca, 'utf8') }
  if (masters === 1) {
    const redis = await startRedis(options)
    const env = {
      REDIS_HOST: 'localhost',
      REDIS_PORT: String(redis[port]),
      REDIS_PASSWORD: PASSWORD,
      ...secure,
    }
    return { nodes: [redis], env, stop: redis.stop }
  }
  const { nodes, stop } = await startRedisCluster({ ...options, masters, replicas: 0 })
  const servers = nodes.map((node) => `127.0.0.1:${node[port]}`).join()
  return { nodes, env: { REDIS_CLUSTER_NODES: servers, REDIS_PASSWORD: PASSWORD, ...secure }, stop }
}
