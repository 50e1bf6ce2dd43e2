import { connect } from 'node:net'
import { startMemcached } from '../../lab/servers/memcached.ts'
import { type Benchmark, type Cell, countSteps, type Table } from '../benchmark.ts'
import { memcachedName } from '../parts/setups.ts'

// How many items a full Memcached takes before it evicts the lock of a request that is under way.

const LOCK = 'memc.sess.key.lock.abcdefghijklmnopqrstuvwxyz012345'
const BATCH = 1_000
const MOST_TIMES = 10

const ITEMS = { 'sessions of 2 KB': 2_000, 'sessions of 20 KB': 20_000, 'items of the size of a lock': 10 }

export const eviction: Benchmark = async (run) => {
  const all = run.pick([16], [16, 64])
  const step = countSteps(run, all.length * Object.keys(ITEMS).length)
  const tables: Record<string, Table> = {}
  for (const megabytes of all) {
    const rows: Record<string, Record<string, Cell>> = {}
    for (const [what, bytes] of Object.entries(ITEMS)) {
      rows[what] = await measure(megabytes, bytes)
      step()
    }
    tables[`-m ${megabytes}`] = rows
  }
  return {
    versions: { store: memcachedName() },
    conditions: ['a full server takes a lock, then further items, ten times its memory at most'],
    tables,
  }
}

/** Fills the server, sets a lock, and writes items until the lock is gone. */
async function measure(megabytes: number, bytes: number): Promise<Record<string, Cell>> {
  const server = await startMemcached({ more: `-m ${megabytes}` })
  const socket = connect(server.port, '127.0.0.1').setEncoding('latin1')
  try {
    const ask = async (text: string, end: RegExp) => {
      socket.write(text)
      let said = ''
      while (!end.test(said)) said += await new Promise<string>((resolve) => socket.once('data', resolve))
      return said
    }
    const value = 'x'.repeat(bytes)
    let made = 0
    const write = () => {
      const one = () => `set ${`s${made++}`.padEnd(LOCK.length, 'y')} 0 1440 ${bytes} noreply\r\n${value}\r\n`
      return ask(`${Array.from({ length: BATCH }, one).join('')}mn\r\n`, /MN\r\n$/)
    }
    const hasEvicted = async () => !/STAT evictions 0\r/.test(await ask('stats\r\n', /END\r\n$/))
    while (!(await hasEvicted())) await write()
    await ask(`add ${LOCK} 0 60 10\r\n0123456789\r\n`, /STORED\r\n$/)
    const first = made
    // `me` does not count as a use.
    const isThere = async () => (await ask(`me ${LOCK}\r\n`, /\r\n$/)).startsWith('ME')
    while ((await isThere()) && (made - first) * (bytes + 100) < MOST_TIMES * megabytes * 1e6) await write()
    return {
      'full with': [first],
      'after the lock': [made - first],
      'the lock': (await isThere()) ? 'still there' : 'evicted',
    }
  } finally {
    socket.destroy()
    await server.stop()
  }
}
