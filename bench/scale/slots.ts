import { startStore } from '../parts/info.ts'
import type { Cells, Measure } from './results.ts'
import { startWorkers } from './workers.ts'

const ASKED = 2000

/** What it takes a master to say which master has which slots, as a worker that is root asks with each page. */
export const measureSlots: Measure<number> = async (masters) => {
  const store = await startStore(masters)
  try {
    const [node] = store.nodes
    await node?.batch(Array.from({ length: ASKED }, () => ['CLUSTER', 'SLOTS']))
    const statistics = node?.cli('INFO', 'commandstats') ?? ''
    return { µs: [Number(/^cmdstat_cluster\|slots:.*usec_per_call=([\d.]+)/m.exec(statistics)?.[1])] }
  } finally {
    await store.stop()
  }
}

/** How many of so many pages, asked for one after the other, each worker of a pool has served. */
export async function measureTurns(workers: number, pages: number): Promise<Cells> {
  const store = await startStore(1)
  const fpm = await startWorkers(
    store,
    { handler: 'managed', workers, kilobytes: 1 },
    { who: 'echo getmypid();' },
  )
  try {
    const served = new Map<string, number>()
    for (let i = 0; i < pages; i++) {
      const who = /\d+$/.exec(await fpm.ask('who')())?.[0] ?? ''
      served.set(who, (served.get(who) ?? 0) + 1)
    }
    return { 'pages of each': [...served.values()].sort((a, b) => a - b) }
  } finally {
    await fpm.stop()
    await store.stop()
  }
}
