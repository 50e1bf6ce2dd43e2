import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Redis } from '../../lab/redis/options.ts'
import { startRedis } from '../../lab/redis/server.ts'
import { makeCertificates } from '../../lab/servers/certificates.ts'
import type { Run } from '../benchmark.ts'
import { connectionsOf, idleMicroseconds, infoNumber, startStore, untilItRests } from '../parts/info.ts'
import { shorten } from '../parts/medians.ts'
import { PASSWORD } from '../parts/setups.ts'
import { type Cells, type Measure, nameTls } from './results.ts'
import { connectAll, startWorkers } from './workers.ts'

/** Connections that nobody uses at the moment: of workers of php-fpm, or without PHP. */
export interface ConnectionCase {
  readonly of: 'workers of php-fpm' | 'logged in, without PHP'
  readonly count: number
  readonly tls: boolean
}

export const nameConnectionCase = ({ of, count, tls }: ConnectionCase) => `${count} ${of}${nameTls(tls)}`

export const measureConnections: Measure<ConnectionCase> = (one, run) =>
  one.of === 'workers of php-fpm' ? measureWorkers(one, run) : measurePlainConnections(one, run)

const memoryOf = (node: Redis) => infoNumber(node, 'memory', 'used_memory')
const residentOf = (node: Redis) => infoNumber(node, 'memory', 'used_memory_rss')
/** Redis frees the buffers of an idle client a few seconds later. */
const rest = (node: Redis) => untilItRests(() => Math.round(memoryOf(node) / 50_000))

/** What a server's memory and processor time have grown by since `before`. */
async function looksAt(node: Redis, run: Run) {
  const look = async () =>
    [memoryOf(node), residentOf(node), await idleMicroseconds([node], run.pick(2, 6))] as const
  const before = await look()
  return async (): Promise<Cells> => {
    const count = connectionsOf(node)
    await rest(node)
    const after = await look()
    return {
      // What the allocator has given.
      bytes: [shorten((after[0] - before[0]) / count)],
      // Libraries and the kernel's pages are a part of it.
      'bytes of the process': [shorten((after[1] - before[1]) / count)],
      'µs/s of all': [shorten(after[2] - before[2])],
    }
  }
}

/** Real workers, each with the connection that the managed handler keeps. */
async function measureWorkers({ count, tls: isTls }: ConnectionCase, run: Run): Promise<Cells> {
  const tls = isTls ? makeCertificates() : undefined
  const store = await startStore(1, tls)
  const [node] = store.nodes as [Redis]
  const fpm = await startWorkers(store, { handler: 'managed', workers: count, kilobytes: 1 })
  try {
    // The script and the first session are there before the base is taken.
    await fpm.ask('change')()
    await rest(node)
    const cost = await looksAt(node, run)
    await connectAll(fpm, count, () => connectionsOf(node) >= count)
    node.cli('FLUSHALL', 'SYNC')
    return await cost()
  } finally {
    await fpm.stop()
    await store.stop()
    tls?.remove()
  }
}

/** More than workers fit here: connections that have logged in and do nothing. */
async function measurePlainConnections({ count }: ConnectionCase, run: Run): Promise<Cells> {
  const node = await startRedis({ password: PASSWORD, lines: ['maxclients 20000', 'tcp-backlog 4096'] })
  const sockets: Socket[] = []
  try {
    await rest(node)
    const cost = await looksAt(node, run)
    while (sockets.length < count) sockets.push(...(await openMany(node.port, `AUTH ${PASSWORD}\r\n`)))
    return await cost()
  } finally {
    for (const socket of sockets) socket.destroy()
    await node.stop()
  }
}

/** 200 connections that have been answered once. */
export async function openMany(port: number, ask: string): Promise<readonly Socket[]> {
  const some = Array.from({ length: 200 }, () => connect(port, '127.0.0.1'))
  await Promise.all(
    some.map((socket) => {
      socket.write(ask)
      return once(socket, 'data')
    }),
  )
  return some
}
