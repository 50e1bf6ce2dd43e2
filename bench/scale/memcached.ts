import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { type Memcached, startMemcached } from '../../lab/servers/memcached.ts'
import { measureSpeed, newVisitors } from '../parts/load.ts'
import { median } from '../parts/medians.ts'
import { startWorkers } from './workers.ts'

/** The same for one Memcached. */
export interface MemcachedCost {
  /** Of the server's processors, for a page with a session of 1 KB. */
  readonly managedMicroseconds: number
  readonly nativeMicroseconds: number
  /** Of memory that the process has, for each connection. */
  readonly connectionBytes: number
  readonly connections: number
  /** Of the slabs, for each session; by kilobytes. */
  readonly sessionBytes: Readonly<Record<string, number>>
  readonly maxConnections: number
  readonly threads: number
}

const [ROUNDS, PAGES, CONNECTIONS, AT_A_TIME] = [5, 1200, 4000, 8]

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

async function measurePage(handler: 'managed' | 'native'): Promise<number> {
  const server = await startMemcached()
  const env = { MEMCACHED_URL: `memcached://127.0.0.1:${server.port}` }
  const fpm = await startWorkers(
    { nodes: [], env, stop: server.stop },
    { handler, workers: AT_A_TIME, kilobytes: 1 },
  )
  try {
    const ask = fpm.ask('change')
    const visitors = await newVisitors(ask, 300)
    await measureSpeed(ask, visitors, PAGES, AT_A_TIME)
    const rounds = []
    for (let round = 0; round < ROUNDS; round++) {
      const before = await used(server)
      await measureSpeed(ask, visitors, PAGES, AT_A_TIME)
      rounds.push(((await used(server)) - before) / PAGES)
    }
    return median(rounds)
  } finally {
    await fpm.stop()
    await server.stop()
  }
}

async function measureConnections(): Promise<Pick<MemcachedCost, 'connections' | 'connectionBytes'>> {
  const server = await startMemcached({ more: `-c ${CONNECTIONS + 100}` })
  const sockets: Socket[] = []
  try {
    const resident = async () => residentBytes(Number((await stats(server)).pid))
    const before = await resident()
    while (sockets.length < CONNECTIONS) {
      const some = Array.from({ length: 200 }, () => connect(server.port, '127.0.0.1'))
      sockets.push(...some)
      await Promise.all(
        some.map((socket) => {
          socket.write('version\r\n')
          return once(socket, 'data')
        }),
      )
    }
    return { connections: CONNECTIONS, connectionBytes: ((await resident()) - before) / CONNECTIONS }
  } finally {
    for (const socket of sockets) socket.destroy()
    await server.stop()
  }
}

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

/** What a session takes of the memory that the server may use: the chunk of its size. */
async function measureSession(kilobytes: number): Promise<number> {
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

export async function measureMemcached(): Promise<MemcachedCost> {
  const server = await startMemcached()
  const settings = await stats(server, ' settings')
  await server.stop()
  const sizes = [1, 10, 100]
  const sessions = []
  for (const size of sizes) sessions.push([String(size), await measureSession(size)])
  return {
    managedMicroseconds: await measurePage('managed'),
    nativeMicroseconds: await measurePage('native'),
    ...(await measureConnections()),
    sessionBytes: Object.fromEntries(sessions),
    maxConnections: Number(settings.maxconns),
    threads: Number(settings.num_threads),
  }
}
