import { startRedisCluster } from '../../lab/redis/cluster.ts'
import type { Redis } from '../../lab/redis/options.ts'
import { startSentinels } from '../../lab/redis/sentinel.ts'
import { makePassword } from './password.ts'
import { keysOf } from './redis.ts'
import { bind, type PlayStore, type StoreOptions } from './store.ts'

/** Three masters with a replica each. */
export async function startCluster({ name }: StoreOptions): Promise<PlayStore> {
  const password = makePassword()
  const cluster = await startRedisCluster({ password })
  const nodes = cluster.nodes.map(placeOf).join(',')
  return {
    kind: 'cluster',
    title: 'Redis Cluster',
    services: (form) =>
      bind(
        'redis',
        form === 'simple'
          ? simple(cluster.nodes[0] as Redis, password)
          : { 'cluster.nodes': nodes, password },
        name,
      ),
    ...faultsOf(cluster.nodes),
    failOver: async () => {
      cluster.kill(cluster.masters()[0] as Redis)
      await cluster.untilOk()
    },
    keys: () => cluster.masters().flatMap(keysOf),
    stop: cluster.stop,
  }
}

/** A master with a replica, and three Sentinels. */
export async function startSentinelGroup({ name }: StoreOptions): Promise<PlayStore> {
  const password = makePassword()
  const group = await startSentinels({ password, sentinelPassword: password })
  const first = group.master()
  const sentinels = group.sentinels.map(placeOf).join(',')
  return {
    kind: 'sentinel',
    title: 'Redis with Sentinels',
    services: (form) =>
      bind(
        'redis',
        form === 'simple'
          ? simple(first, password)
          : {
              sentinel_nodes: sentinels,
              sentinel_master: group.masterName,
              sentinel_password: password,
              password,
            },
        name,
      ),
    ...faultsOf(group.servers),
    failOver: async () => {
      group.killMaster()
      await group.untilNewMaster()
    },
    keys: () => keysOf(group.master()),
    stop: group.stop,
  }
}

function faultsOf(servers: readonly Redis[]): Pick<PlayStore, 'freeze' | 'thaw'> {
  const signal = (name: NodeJS.Signals) => {
    for (const server of servers) server.signal(name)
  }
  return { freeze: () => signal('SIGSTOP'), thaw: () => signal('SIGCONT') }
}

function placeOf({ host, port }: Redis): string {
  return `${host}:${port}`
}

/** What an app gets that knows nothing of groups. */
function simple({ host, port }: Redis, password: string) {
  return { host, port, password }
}
