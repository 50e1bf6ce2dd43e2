import { setTimeout as sleep } from 'node:timers/promises'
import { infoNumber, startStore, storeMicroseconds } from '../parts/info.ts'
import { newVisitors } from '../parts/load.ts'
import { shorten } from '../parts/medians.ts'
import type { Measure } from './results.ts'
import { startWorkers, type WorkersOptions } from './workers.ts'

export interface WaitCase {
  readonly handler: WorkersOptions['handler']
  readonly waiting: number
}

export const nameWaitCase = ({ handler, waiting }: WaitCase) => `${waiting}, ${handler}`

/** Until all of them wait, and for a machine that is slow. */
const [SETTLE_SECONDS, SPARE_SECONDS] = [5, 9]

/** What requests that wait for their session cost the store: each of them, each second. */
export const measureWaits: Measure<WaitCase> = async ({ handler, waiting }, run) => {
  const seconds = run.pick(3, 6)
  const store = await startStore(1)
  const long = `session_start(); sleep(${SETTLE_SECONDS + seconds + SPARE_SECONDS}); echo 1;`
  const fpm = await startWorkers(store, { handler, workers: waiting + 1, kilobytes: 1 }, { long })
  try {
    const [visitor = ''] = await newVisitors(fpm.ask('change'), 1)
    const [node] = store.nodes
    if (node === undefined) throw new Error('no store')
    const running = [fpm.ask('long')(visitor)]
    await sleep(1000)
    for (let i = 0; i < waiting; i++) running.push(fpm.ask('change')(visitor))
    await sleep(SETTLE_SECONDS * 1000)
    const used = () =>
      [storeMicroseconds([node]), infoNumber(node, 'stats', 'total_commands_processed')] as const
    const before = used()
    const start = performance.now()
    await sleep(seconds * 1000)
    const after = used()
    const each = waiting * ((performance.now() - start) / 1000)
    await Promise.all(running)
    return {
      'store µs/s': [shorten((after[0] - before[0]) / each)],
      'commands/s': [shorten((after[1] - before[1]) / each)],
    }
  } finally {
    await fpm.stop()
    await store.stop()
  }
}
