import { until } from '../processes/until.ts'
import { isIn, isWhole, readView } from './cluster-view.ts'
import { strongestLogin } from './conf.ts'
import type { AccessOptions, Redis } from './options.ts'
import { hasChannels } from './release.ts'
import { startRedis } from './server.ts'
import { migrateSlots } from './slots.ts'

export interface ClusterOptions extends AccessOptions {
  /** Three when absent. */
  readonly masters?: number
  /** How many replicas each master has; one when absent. */
  readonly replicas?: number
}

export interface RedisCluster {
  /** The first masters, then their replicas. */
  readonly nodes: readonly Redis[]
  /** Runs redis-cli, which follows redirections, over TLS where the cluster has it; gives what it prints. */
  cli(...args: string[]): string
  /** The living nodes that own slots by their own account. */
  masters(): Redis[]
  /** Throws while no living node owns the slot. */
  slotOwner(slot: number): Redis
  /** Kills a node, or freezes it by SIGSTOP; one of its replicas takes over two to four seconds later. */
  kill(node: Redis, by?: 'SIGKILL' | 'SIGSTOP'): void
  /** Moves slots with their keys; clients may read and write meanwhile. */
  migrateSlots(slots: readonly number[], from: Redis, to: Redis): Promise<void>
  /** Waits until each slot has a living owner, all nodes agree on it, and the replicas are up to date. */
  untilOk(): Promise<void>
  stop(): Promise<void>
}

const SLOTS = 16384

/** A node that is silent for this long counts as dead. With much less, living nodes of a busy machine would. */
const NODE_TIMEOUT_MILLISECONDS = 1500

/** Starts a Redis Cluster whose masters share all slots, and waits until it is whole. */
export async function startRedisCluster(options: ClusterOptions = {}): Promise<RedisCluster> {
  const { masters: count = 3, replicas = 1, ...rest } = options
  const lines = [
    `cluster-node-timeout ${NODE_TIMEOUT_MILLISECONDS}`,
    hasChannels(rest) ? 'cluster-allow-replica-migration no' : 'cluster-migration-barrier 1000',
  ]
  const start = () => startRedis({ ...rest, cluster: true, lines })
  const nodes = await Promise.all(Array.from({ length: count * (1 + replicas) }, start))
  const killed = new Set<Redis>()
  const living = () => nodes.filter((node) => !killed.has(node))
  const masters = () => living().filter((node) => ownRanges(node).length > 0)
  const untilOk = () => until('the cluster to be whole', () => isWhole(living()))

  await introduce(nodes, count)
  await untilOk()
  return {
    nodes,
    cli: (...args) => {
      const node = living()[0] as Redis
      return node.cli('-c', ...overTls(node, rest), ...args)
    },
    masters,
    slotOwner: (slot) => {
      const owner = living().find((node) => isIn(slot, ownRanges(node)))
      if (owner === undefined) throw new Error(`slot ${slot} has no living owner`)
      return owner
    },
    kill: (node, by = 'SIGKILL') => {
      node.signal(by)
      killed.add(node)
    },
    migrateSlots: (slots, from, to) => migrateSlots(slots, from, to, masters(), strongestLogin(options)),
    untilOk,
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop()))
    },
  }
}

/** Assigns the slots and joins the nodes, as `redis-cli --cluster create` does, but faster. */
async function introduce(nodes: readonly Redis[], masters: number): Promise<void> {
  const [first, ...others] = nodes as [Redis, ...Redis[]]
  for (const [index, node] of nodes.entries()) {
    node.cli('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1))
    if (index >= masters) continue
    const [from = 0, to = 0] = [index, index + 1].map((part) => Math.floor((SLOTS * part) / masters))
    addSlots(node, from, to)
  }
  for (const { host, port, tlsPort, busPort } of others) {
    first.cli('CLUSTER', 'MEET', host, String(tlsPort ?? port), String(busPort))
  }
  const knowsAll = (node: Redis) => readView(node).filter(({ isMaster }) => isMaster).length === nodes.length
  await until('all nodes to know each other', () => nodes.every(knowsAll))
  for (const [index, replica] of nodes.slice(masters).entries()) {
    const master = nodes[index % masters] as Redis
    replica.cli('CLUSTER', 'REPLICATE', master.cli('CLUSTER', 'MYID'))
  }
}

/** Gives a node the slots from one number to before another. One by one: ADDSLOTSRANGE is of Redis 7. */
export function addSlots(node: Redis, from: number, to: number): void {
  node.cli('CLUSTER', 'ADDSLOTS', ...Array.from({ length: to - from }, (_, index) => String(from + index)))
}

/** Redis 6.0 redirects every client of a cluster with TLS to a port for TLS. */
function overTls({ tlsPort }: Redis, { tls }: AccessOptions): readonly string[] {
  if (tls === undefined) return []
  const files = ['--cacert', tls.ca, '--cert', tls.certificate, '--key', tls.key]
  return ['-p', String(tlsPort), '--tls', ...files]
}

function ownRanges(node: Redis): readonly string[] {
  return readView(node).find(({ isMyself }) => isMyself)?.ranges ?? []
}
