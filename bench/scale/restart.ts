import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { startRedis } from '../../lab/redis/server.ts'
import { makeCertificates } from '../../lab/servers/certificates.ts'
import { connectionsOf, storeMicroseconds } from '../parts/info.ts'
import { newVisitors } from '../parts/load.ts'
import { shorten } from '../parts/medians.ts'
import { PASSWORD } from '../parts/setups.ts'
import { type Measure, nameTls } from './results.ts'
import { connectAll, startWorkers } from './workers.ts'

export interface RestartCase {
  readonly workers: number
  readonly tls: boolean
}

export const nameRestartCase = ({ workers, tls }: RestartCase) => `${workers}${nameTls(tls)}`

/** One request of one visitor for each worker, all at once; so long that each worker has one. */
const ONCE = `session_start(); $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1; usleep(1500000); echo 1;`

/** What happens when all workers connect at once, because the store has been restarted. */
export const measureRestart: Measure<RestartCase> = async ({ workers, tls: isTls }) => {
  const tls = isTls ? makeCertificates() : undefined
  const options = { password: PASSWORD, ...(tls === undefined ? {} : { tls }) }
  let redis = await startRedis(options)
  const env = {
    REDIS_URL: `redis${isTls ? 's' : ''}://:${PASSWORD}@localhost:${isTls ? redis.tlsPort : redis.port}`,
    ...(tls === undefined ? {} : { REDIS_CA: readFileSync(tls.ca, 'utf8') }),
  }
  const fpm = await startWorkers({ env }, { handler: 'managed', workers, kilobytes: 1 }, { once: ONCE })
  try {
    await connectAll(fpm, workers, () => connectionsOf(redis) >= workers)
    await redis.stop()
    redis = await startRedis({ ...options, at: redis })
    // The scripts are there again before it begins.
    await newVisitors(fpm.ask('change'), 1)
    const askAll = async () => {
      const [before, start] = [storeMicroseconds([redis]), performance.now()]
      const answers = await Promise.all(Array.from({ length: workers }, () => fpm.ask('once')()))
      const failed = answers.filter((answer) => answer.startsWith('Status:')).length
      const seconds = (performance.now() - start) / 1000 - 1.5
      return { failed, seconds, used: (storeMicroseconds([redis]) - before) / workers }
    }
    const first = await askAll()
    await connectAll(fpm, workers, () => connectionsOf(redis) >= workers)
    await sleep(500)
    const later = await askAll()
    return {
      // Of each connection with its login and its page.
      'store µs': [shorten(first.used)],
      // On the connection that the worker has.
      'store µs of the next page': [shorten(later.used)],
      'status 503': [first.failed],
      'of pages': [workers],
      // Until the last page was there; depends on what else the machine does.
      seconds: [shorten(first.seconds)],
    }
  } finally {
    await fpm.stop()
    await redis.stop()
    tls?.remove()
  }
}
