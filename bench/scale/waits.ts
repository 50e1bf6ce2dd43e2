import { setTimeout as sleep } from 'node:timers/promises'
import { newVisitors } from '../parts/load.ts'
import { infoNumber, startStore, storeMicroseconds } from './info.ts'
import { startWorkers, type WorkersOptions } from './workers.ts'

/** What requests cost the store that wait for their session. */
export interface WaitCost {
  readonly handler: WorkersOptions['handler']
  readonly waiting: number
  /** Of the store's processor, for each of them and each second. */
  readonly storeMicroseconds: number
  readonly commands: number
}

const SECONDS = 6

export async function measureWaits(handler: WorkersOptions['handler'], waiting: number): Promise<WaitCost> {
  const store = await startStore(1)
  const long = `session_start(); sleep(${SECONDS + 14}); echo 1;`
  const fpm = await startWorkers(store, { handler, workers: waiting + 1, kilobytes: 1 }, { long })
  try {
    const [visitor = ''] = await newVisitors(fpm.ask('change'), 1)
    const [node] = store.nodes
    if (node === undefined) throw new Error('no store')
    const running = [fpm.ask('long')(visitor)]
    await sleep(1000)
    for (let i = 0; i < waiting; i++) running.push(fpm.ask('change')(visitor))
    await sleep(5000)
    const used = () =>
      [storeMicroseconds([node]), infoNumber(node, 'stats', 'total_commands_processed')] as const
    const before = used()
    const start = performance.now()
    await sleep(SECONDS * 1000)
    const after = used()
    const each = waiting * ((performance.now() - start) / 1000)
    await Promise.all(running)
    return {
      handler,
      waiting,
      storeMicroseconds: (after[0] - before[0]) / each,
      commands: (after[1] - before[1]) / each,
    }
  } finally {
    await fpm.stop()
    await store.stop()
  }
}
