import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { startRedis } from '../../lab/redis/server.ts'
import { makeCertificates } from '../../lab/servers/certificates.ts'
import { newVisitors } from '../parts/load.ts'
import { connectionsOf, PASSWORD, storeMicroseconds } from './info.ts'
import { connectAll, startWorkers } from './workers.ts'

/** What happens when all workers connect at once, because the store has been restarted. */
export interface RestartCost {
  readonly tls: boolean
  readonly workers: number
  /** Of the store's processor, for each connection with its login and its page. */
  readonly storeMicroseconds: number
  /** The same for the next page of each worker, on the connection that it has. */
  readonly laterMicroseconds: number
  readonly pages: number
  readonly failed: number
  /** Until the last page was there; depends on what else the machine does. */
  readonly seconds: number
}

/** One request of one visitor for each worker, all at once; half a second, so that each worker has one. */
const ONCE = `session_start(); $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1; usleep(1500000); echo 1;`

export async function measureRestart(workers: number, isTls: boolean): Promise<RestartCost> {
  const tls = isTls ? makeCertificates() : undefined
  const options = { password: PASSWORD, ...(tls === undefined ? {} : { tls }) }
  let redis = await startRedis(options)
  const env = {
    REDIS_URL: `redis${isTls ? 's' : ''}://:${PASSWORD}@localhost:${isTls ? redis.tlsPort : redis.port}`,
    ...(tls === undefined ? {} : { REDIS_CA: readFileSync(tls.ca, 'utf8') }),
  }
  const fpm = await startWorkers(
    { nodes: [redis], env, stop: redis.stop },
    { handler: 'managed', workers, kilobytes: 1 },
    { once: ONCE },
  )
  try {
    await connectAll(fpm, workers, () => connectionsOf(redis) >= workers)
    await redis.stop()
    redis = await startRedis({ ...options, at: redis })
    // The scripts are there again before it begins.
    await newVisitors(fpm.ask('change'), 1)
    const askAll = async () => {
      const before = [storeMicroseconds([redis]), performance.now()] as const
      const answers = await Promise.all(Array.from({ length: workers }, () => fpm.ask('once')()))
      const failed = answers.filter((answer) => answer.startsWith('Status:')).length
      const seconds = (performance.now() - before[1]) / 1000 - 1.5
      return { failed, seconds, used: (storeMicroseconds([redis]) - before[0]) / workers }
    }
    const first = await askAll()
    await connectAll(fpm, workers, () => connectionsOf(redis) >= workers)
    await sleep(500)
    const later = await askAll()
    return {
      tls: isTls,
      workers,
      storeMicroseconds: first.used,
      laterMicroseconds: later.used,
      pages: workers,
      failed: first.failed,
      seconds: first.seconds,
    }
  } finally {
    await fpm.stop()
    await redis.stop()
    tls?.remove()
  }
}
