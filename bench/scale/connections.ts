import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Redis } from '../../lab/redis/options.ts'
import { startRedis } from '../../lab/redis/server.ts'
import { makeCertificates } from '../../lab/servers/certificates.ts'
import { connectionsOf, idleMicroseconds, infoNumber, PASSWORD, startStore, untilItRests } from './info.ts'
import { connectAll, startWorkers } from './workers.ts'

/** What connections cost that nobody uses at the moment. */
export interface ConnectionCost {
  readonly what: 'workers' | 'plain connections'
  readonly tls: boolean
  readonly count: number
  /** Of INFO memory: what the allocator has given. */
  readonly bytes: number
  /** Of the process, which has also what libraries and the kernel's pages take. */
  readonly residentBytes: number
  /** Of a processor, in each second, for all of them together. */
  readonly idleMicroseconds: number
}

const memoryOf = (node: Redis) => infoNumber(node, 'memory', 'used_memory')
const residentOf = (node: Redis) => infoNumber(node, 'memory', 'used_memory_rss')
/** Redis frees the buffers of an idle client a few seconds later. */
const rest = (node: Redis) => untilItRests(() => Math.round(memoryOf(node) / 50_000))

async function cost(node: Redis, before: readonly [bytes: number, resident: number, idle: number]) {
  const count = connectionsOf(node)
  await rest(node)
  const [bytes, resident] = [memoryOf(node) - before[0], residentOf(node) - before[1]]
  const idle = (await idleMicroseconds([node])) - before[2]
  return { count, bytes: bytes / count, residentBytes: resident / count, idleMicroseconds: idle }
}

async function baseOf(node: Redis) {
  return [memoryOf(node), residentOf(node), await idleMicroseconds([node])] as const
}

/** Real workers, each with the connection that the managed handler keeps. */
export async function measureWorkers(workers: number, isTls: boolean): Promise<ConnectionCost> {
  const tls = isTls ? makeCertificates() : undefined
  const store = await startStore(1, tls)
  const [node] = store.nodes as [Redis]
  const fpm = await startWorkers(store, { handler: 'managed', workers, kilobytes: 1 })
  try {
    // The script and the first session are there before the base is taken.
    await fpm.ask('change')()
    await rest(node)
    const base = await baseOf(node)
    await connectAll(fpm, workers, () => connectionsOf(node) >= workers)
    node.cli('FLUSHALL', 'SYNC')
    return { what: 'workers', tls: isTls, ...(await cost(node, base)) }
  } finally {
    await fpm.stop()
    await store.stop()
    tls?.remove()
  }
}

/** More than workers fit here: connections that have logged in and do nothing. */
export async function measurePlainConnections(count: number): Promise<ConnectionCost> {
  const node = await startRedis({ password: PASSWORD, lines: ['maxclients 20000', 'tcp-backlog 4096'] })
  const sockets: Socket[] = []
  try {
    await rest(node)
    const base = await baseOf(node)
    while (sockets.length < count) {
      const some = Array.from({ length: 200 }, () => connect(node.port, node.host))
      sockets.push(...some)
      await Promise.all(
        some.map(async (socket) => {
          socket.write(`AUTH ${PASSWORD}\r\n`)
          await once(socket, 'data')
        }),
      )
    }
    return { what: 'plain connections', tls: false, ...(await cost(node, base)) }
  } finally {
    for (const socket of sockets) socket.destroy()
    await node.stop()
  }
}
