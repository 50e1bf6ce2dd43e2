import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Fpm, startFpm } from '../../lab/php/fpm.ts'
import type { InstalledPhp } from '../../lab/php/installed.ts'
import { makeScratch, removeScratch } from '../../lab/processes/scratch.ts'
import type { Ask } from './load.ts'

export const FEW = 8
/** More than one visitor has requests at a time: a pool that is full makes room for others, by a 429. */
export const MANY = 60

const ROOT = join(import.meta.dirname, '../..')
const EXEC = [process.execPath, join(ROOT, 'dist/php-sessions.mjs'), 'exec', '--']

/** A real php-fpm with pools of one configuration. */
export interface BenchFpm extends Pick<Fpm, 'pid' | 'log' | 'stop'> {
  /** Asks a page of the pool that has as many workers as throughput needs. */
  few(page: string): Ask
  /**
   * Asks a page of the pool that has as many workers as one visitor has requests at a time: these wait for the session
   * and not for a worker.
   */
  many(page: string): Ask
  /** Asks a page of one of the pools. */
  of(pool: number, page: string): Ask
}

export interface BenchFpmOptions {
  readonly php: InstalledPhp
  /** A command line under which `php-sessions exec` starts php-fpm. */
  readonly under?: readonly string[]
  /** Further lines of php.ini. */
  lines(directory: string): readonly string[]
  /** Further lines of each pool. */
  readonly pool?: readonly string[]
  /** Workers of each pool; FEW and MANY when absent. */
  readonly workers?: readonly number[]
  readonly env: Readonly<Record<string, string>>
  /** Pages by name: PHP code. */
  readonly pages: Readonly<Record<string, string>>
}

/**
 * Starts php-fpm with opcache under `php-sessions exec`. Its workers are not root, as in images: a worker that is root asks a
 * cluster for its slots with each page.
 */
export async function startBenchFpm(options: BenchFpmOptions): Promise<BenchFpm> {
  const { php, under = [], lines, pool = [], workers = [FEW, MANY], env, pages } = options
  const extensions = ['igbinary', 'msgpack', 'redis', 'posix'].map((name) => `extension=${name}`)
  // Otherwise opcache leaves out files that are as new as these pages.
  const opcache = ['zend_extension=opcache', 'opcache.enable=1', 'opcache.file_update_protection=0']
  const directory = makeScratch('bench')
  chmodSync(directory, 0o755)
  for (const name of ['tmp', 'sessions']) {
    mkdirSync(join(directory, name))
    chmodSync(join(directory, name), 0o1777)
  }
  const { ask, pid, log, stop } = await startFpm({
    php,
    under: [...EXEC, ...under],
    ini: () => [...extensions, ...opcache, 'session.gc_probability=0', ...lines(directory), ''].join('\n'),
    pools: workers.map((count) => ({ workers: count, lines: pool })),
    workersAre: 'nobody',
    env: { TMPDIR: join(directory, 'tmp'), ...env },
    pages,
    directory,
  })
  const of = (index: number, page: string) => (cookie?: string) => ask(page, cookie, index)
  return {
    few: (page) => of(0, page),
    many: (page) => of(1, page),
    of,
    pid,
    log,
    stop: async () => {
      await stop()
      removeScratch(directory)
    },
  }
}
