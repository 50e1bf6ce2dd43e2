import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { type Memcached, startMemcached } from '../../lab/servers/memcached.ts'
import type { Run, Table } from '../benchmark.ts'
import { measureSpeed, newVisitors } from '../parts/load.ts'
import { byMeasure, shorten } from '../parts/medians.ts'
import { openMany } from './connections.ts'
import type { Cells } from './results.ts'
import { startWorkers } from './workers.ts'

const [CONNECTIONS, AT_A_TIME] = [4000, 8]

/** Everything that `stats` gives, with further words of the command. */
async function stats({ port }: Memcached, what = ''): Promise<Readonly<Record<string, string>>> {
  const socket = connect(port, '127.0.0.1')
  socket.write(`stats${what}\r\n`)
  let text = ''
  while (!text.endsWith('END\r\n')) text += String((await once(socket, 'data'))[0])
  socket.destroy()
  return Object.fromEntries(
    [...text.matchAll(/^STAT (\S+) (\S*)/gm)].map(([, name = '', value = '']) => [name, value]),
  )
}

async function used(server: Memcached): Promise<number> {
  const { rusage_user, rusage_system } = await stats(server)
  return (Number(rusage_user) + Number(rusage_system)) * 1e6
}

/** Of the server's processors, for a page with a session of 1 KB. */
async function measurePage(handler: 'managed' | 'native', run: Run): Promise<Cells> {
  const [rounds, pages] = [run.pick(3, 5), run.pick(400, 1200)]
  const server = await startMemcached()
  const env = { MEMCACHED_URL: `memcached://127.0.0.1:${server.port}` }
  const fpm = await startWorkers({ env }, { handler, workers: AT_A_TIME, kilobytes: 1 })
  try {
    const ask = fpm.ask('change')
    const visitors = await newVisitors(ask, 300)
    await measureSpeed(ask, visitors, pages, AT_A_TIME)
    const costs = []
    for (let round = 0; round < rounds; round++) {
      const before = await used(server)
      await measureSpeed(ask, visitors, pages, AT_A_TIME)
      costs.push({ 'µs/page': ((await used(server)) - before) / pages })
    }
    return byMeasure(costs)
  } finally {
    await fpm.stop()
    await server.stop()
  }
}

/** Of the memory that the process has, for each connection. */
async function measureIdle(): Promise<Cells> {
  const server = await startMemcached({ more: `-c ${CONNECTIONS + 100}` })
  const sockets: Socket[] = []
  try {
    const resident = async () => residentBytes(Number((await stats(server)).pid))
    const before = await resident()
    while (sockets.length < CONNECTIONS) sockets.push(...(await openMany(server.port, 'version\r\n')))
    return { bytes: [shorten(((await resident()) - before) / CONNECTIONS)], count: [CONNECTIONS] }
  } finally {
    for (const socket of sockets) socket.destroy()
    await server.stop()
  }
}

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

/** What a session takes of the memory that the server may use: the chunk of its size. */
export async function measureMemcachedSession(kilobytes: number): Promise<number> {
  const server = await startMemcached({ more: '-m 256' })
  const socket = connect(server.port, '127.0.0.1')
  try {
    const data = 'x'.repeat(kilobytes * 1024)
    socket.write(`set memc.sess.key.v2q0f6o7k1m3n5p7r9t1v3x5z7 4 1440 ${data.length}\r\n${data}\r\n`)
    await once(socket, 'data')
    const slabs = await stats(server, ' slabs')
    const ids = Object.keys(slabs).flatMap((name) => /^(\d+):used_chunks$/.exec(name)?.[1] ?? [])
    return ids.reduce(
      (sum, one) => sum + Number(slabs[`${one}:used_chunks`]) * Number(slabs[`${one}:chunk_size`]),
      0,
    )
  } finally {
    socket.destroy()
    await server.stop()
  }
}

export async function measureMemcached(run: Run): Promise<Table> {
  const server = await startMemcached()
  const settings = await stats(server, ' settings')
  await server.stop()
  return {
    managed: await measurePage('managed', run),
    native: await measurePage('native', run),
    connections: await measureIdle(),
    'by default': {
      'most connections': [Number(settings.maxconns)],
      threads: [Number(settings.num_threads)],
    },
  }
}
