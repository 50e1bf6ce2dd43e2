import { makeCertificates } from '../../lab/servers/certificates.ts'
import { cpuMilliseconds } from '../parts/cpu.ts'
import { connectionsOf, idleMicroseconds, infoNumber, startStore, storeMicroseconds } from '../parts/info.ts'
import { measureSpeed, newVisitors } from '../parts/load.ts'
import { byMeasure, shorten } from '../parts/medians.ts'
import type { Measure, PageCase } from './results.ts'
import { connectAll, startWorkers } from './workers.ts'

const [VISITORS, AT_A_TIME] = [300, 8]

/** What a page with a session costs the store and PHP, and how masters share it. */
export const measurePages: Measure<PageCase> = async (one, run) => {
  const [rounds, pages] = [run.pick(3, 5), run.pick(400, 1200)]
  const tls = one.tls ? makeCertificates() : undefined
  const store = await startStore(one.masters, tls)
  const fpm = await startWorkers(store, one)
  try {
    if (one.masters === 1)
      await connectAll(fpm, one.workers, () =>
        store.nodes.every((node) => connectionsOf(node) >= one.workers),
      )
    const ask = fpm.ask('change')
    const visitors = await newVisitors(ask, VISITORS)
    await measureSpeed(ask, visitors, pages, AT_A_TIME)
    for (const node of store.nodes) node.cli('CONFIG', 'RESETSTAT')
    const idle = await idleMicroseconds(store.nodes, run.pick(2, 6))
    const costs = []
    for (let round = 0; round < rounds; round++) {
      const before = [storeMicroseconds(store.nodes), cpuMilliseconds(fpm.pid)] as const
      const start = performance.now()
      await measureSpeed(ask, visitors, pages, AT_A_TIME)
      const atRest = idle * ((performance.now() - start) / 1000)
      const used = [storeMicroseconds(store.nodes), cpuMilliseconds(fpm.pid)] as const
      costs.push({
        'store µs/page': (used[0] - before[0] - atRest) / pages,
        'PHP µs/page': ((used[1] - before[1]) * 1000) / pages,
      })
    }
    const commands = store.nodes.map((node) => infoNumber(node, 'stats', 'total_commands_processed'))
    const all = commands.reduce((sum, count) => sum + count, 0)
    return {
      ...byMeasure(costs),
      'store µs/s at rest': [shorten(idle)],
      pages: [VISITORS + (rounds + 1) * pages],
      'connections of each master': store.nodes.map(connectionsOf).join(', '),
      'share of the busiest master': [shorten(Math.max(...commands) / all)],
    }
  } finally {
    await fpm.stop()
    await store.stop()
    tls?.remove()
  }
}
