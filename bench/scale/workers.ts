import { machinePhp } from '../../lab/php/installed.ts'
import { startBenchFpm } from '../parts/fpm.ts'
import type { Store } from '../parts/info.ts'
import type { Ask } from '../parts/load.ts'

/** A real php-fpm with one pool, under `php-sessions exec`. */
export interface Workers {
  readonly pid: number
  ask(page: string): Ask
  stop(): Promise<void>
}

export interface WorkersOptions {
  readonly handler: 'managed' | 'native'
  readonly workers: number
  readonly kilobytes: number
}

/** Long enough that no worker is free before all have one. */
const HOLD = `session_start(); usleep(1500000); echo 1;`
/** One session of this size for each visitor, which every page changes. */
const change = (kilobytes: number) =>
  `session_start(); $_SESSION['pad'] ??= str_repeat('x', ${1024 * kilobytes}); echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;`

export async function startWorkers(
  { env }: Pick<Store, 'env'>,
  { handler, workers, kilobytes }: WorkersOptions,
  pages: Readonly<Record<string, string>> = {},
): Promise<Workers> {
  const { few, pid, stop } = await startBenchFpm({
    php: machinePhp(),
    lines: () => [],
    workers: [workers],
    env: { ...env, PHP_SESSIONS_HANDLER: handler, PHP_SESSIONS_MAX_WAITING: '500' },
    pages: { change: change(kilobytes), hold: HOLD, ...pages },
  })
  return { pid, ask: few, stop }
}

/** Makes every worker serve a page, and so connect; new visitors, so that nobody waits for a session. */
export async function connectAll(fpm: Workers, workers: number, isDone: () => boolean): Promise<void> {
  for (let tries = 0; !isDone(); tries++) {
    if (tries === 20) throw new Error(`not all of ${workers} workers have connected`)
    await Promise.all(Array.from({ length: workers }, () => fpm.ask('hold')()))
  }
}
