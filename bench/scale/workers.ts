import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { startFpm } from '../../lab/php/fpm.ts'
import { machinePhp } from '../../lab/php/installed.ts'
import { makeScratch, removeScratch } from '../../lab/processes/scratch.ts'
import type { Ask } from '../parts/load.ts'
import type { Store } from './info.ts'

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

/** One session of this size for each visitor, which every page changes. */
const CHANGE = `session_start(); $_SESSION['pad'] ??= str_repeat('x', 1024 * (int) getenv('KILOBYTES'));
  echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;`
/** Long enough that no worker is free before all have one. */
const HOLD = `session_start(); usleep(1500000); echo 1;`

const ROOT = join(import.meta.dirname, '../..')
export const php = machinePhp()

/** Its workers are not root, as in images: a worker that is root asks a cluster for its slots with each page. */
export async function startWorkers(
  { env }: Store,
  { handler, workers, kilobytes }: WorkersOptions,
  pages: Readonly<Record<string, string>> = {},
): Promise<Workers> {
  const directory = makeScratch('scale')
  const temporary = join(directory, 'tmp')
  mkdirSync(temporary)
  chmodSync(directory, 0o755)
  chmodSync(temporary, 0o1777)
  const extensions = ['igbinary', 'msgpack', 'redis', 'memcached', 'posix'].map((name) => `extension=${name}`)
  const fpm = await startFpm({
    php,
    under: [process.execPath, join(ROOT, 'dist/php-sessions.mjs'), 'exec', '--'],
    ini: () =>
      [...extensions, 'zend_extension=opcache', 'opcache.enable=1', 'session.gc_probability=0', ''].join(
        '\n',
      ),
    pools: [{ workers, lines: ['clear_env = no'] }],
    workersAre: 'nobody',
    env: {
      ...{ TMPDIR: temporary, KILOBYTES: String(kilobytes), ...env },
      ...{ PHP_SESSIONS_HANDLER: handler, PHP_SESSIONS_MAX_WAITING: '500' },
    },
    pages: { change: CHANGE, hold: HOLD, ...pages },
    directory,
  })
  return {
    pid: fpm.pid,
    ask: (page) => (cookie) => fpm.ask(page, cookie),
    stop: async () => {
      await fpm.stop()
      removeScratch(directory)
    },
  }
}

/** Makes every worker serve a page, and so connect; new visitors, so that nobody waits for a session. */
export async function connectAll(fpm: Workers, workers: number, isDone: () => boolean): Promise<void> {
  for (let tries = 0; !isDone(); tries++) {
    if (tries === 20) throw new Error(`not all of ${workers} workers have connected`)
    await Promise.all(Array.from({ length: workers }, () => fpm.ask('hold')()))
  }
}
