import { makeCertificates } from '../../lab/servers/certificates.ts'
import { cpuMilliseconds } from '../parts/cpu.ts'
import { measureSpeed, newVisitors } from '../parts/load.ts'
import { median } from '../parts/medians.ts'
import { connectionsOf, idleMicroseconds, infoNumber, startStore, storeMicroseconds } from './info.ts'
import { connectAll, startWorkers } from './workers.ts'

/** What a page with a session costs, as medians of rounds. */
export interface PageCost {
  readonly handler: 'managed' | 'native'
  readonly tls: boolean
  readonly masters: number
  readonly workers: number
  readonly kilobytes: number
  readonly storeMicroseconds: number
  /** The least and the greatest round. */
  readonly storeSpread: readonly [number, number]
  readonly phpMicroseconds: number
  /** What all masters take at rest, each second; where it is absent it is counted as the pages'. */
  readonly idleMicroseconds?: number
  /** The connections that each master has in the end. */
  readonly connections: readonly number[]
  /** The part of the commands that the busiest master ran. */
  readonly largestShare: number
}

export type PageCase = Pick<PageCost, 'handler' | 'tls' | 'masters' | 'workers' | 'kilobytes'>

const [ROUNDS, VISITORS, PAGES, AT_A_TIME] = [5, 300, 1200, 8]

export async function measurePages(one: PageCase): Promise<PageCost> {
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
    await measureSpeed(ask, visitors, PAGES, AT_A_TIME)
    for (const node of store.nodes) node.cli('CONFIG', 'RESETSTAT')
    const idle = await idleMicroseconds(store.nodes)
    const rounds = []
    for (let round = 0; round < ROUNDS; round++) {
      const before = [storeMicroseconds(store.nodes), cpuMilliseconds(fpm.pid)] as const
      const start = performance.now()
      await measureSpeed(ask, visitors, PAGES, AT_A_TIME)
      const atRest = idle * ((performance.now() - start) / 1000)
      const used = [storeMicroseconds(store.nodes), cpuMilliseconds(fpm.pid)] as const
      rounds.push({
        store: (used[0] - before[0] - atRest) / PAGES,
        php: ((used[1] - before[1]) * 1000) / PAGES,
      })
    }
    const stores = rounds.map((round) => round.store)
    const commands = store.nodes.map((node) => infoNumber(node, 'stats', 'total_commands_processed'))
    return {
      ...one,
      storeMicroseconds: median(stores),
      storeSpread: [Math.min(...stores), Math.max(...stores)],
      idleMicroseconds: idle,
      phpMicroseconds: median(rounds.map((round) => round.php)),
      connections: store.nodes.map(connectionsOf),
      largestShare: Math.max(...commands) / commands.reduce((sum, count) => sum + count, 0),
    }
  } finally {
    await fpm.stop()
    await store.stop()
    tls?.remove()
  }
}
