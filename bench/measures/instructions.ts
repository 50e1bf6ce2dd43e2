import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runInParallel } from '../../lab/load.ts'
import { debian13Php, type InstalledPhp, machinePhp } from '../../lab/php/installed.ts'
import { makeScratch, removeScratch } from '../../lab/processes/scratch.ts'
import { until } from '../../lab/processes/until.ts'
import { type Benchmark, type Cell, countSteps, NotHere } from '../benchmark.ts'
import { askNumber, newVisitors } from '../parts/load.ts'
import { shorten } from '../parts/medians.ts'
import { oneServer, type Setup } from '../parts/setups.ts'
import { startContender } from './handlers.ts'

// The instructions that a page takes in PHP, counted by callgrind: they do not depend on what else the machine does.

const CONTENDERS = ['files', "the peers' ini", 'native', 'managed']
const PAGES = {
  change: `session_start(); $_SESSION['pad'] ??= str_repeat('x', 1000); echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;`,
  none: 'echo 1;',
  who: 'echo getmypid();',
}
const COUNTED = { 'with a session': 'change', 'without one': 'none' } as const
/** A worker that has served so many pages is compared with one that has served more: its start does not count. */
const [FEW, WARM] = [30, 10]
const AT_A_TIME = 2

export const instructions: Benchmark = async (run) => {
  const valgrind = versionOfValgrind()
  const second = debian13Php()
  const phps = [machinePhp(), ...('unavailable' in second ? [] : [second])]
  const pages = run.pick(100, 200)
  const cases = phps.flatMap((php) => CONTENDERS.map((name) => ({ php, name })))
  const step = countSteps(run, cases.length)
  const counted: Record<string, Record<string, Cell>> = {}
  const setup = await oneServer(0)
  try {
    await runInParallel(cases.length, AT_A_TIME, async (i) => {
      const { php, name } = cases[i] as (typeof cases)[number]
      counted[`${php.version} ${name}`] = await countInstructions(php, setup, name, pages)
      step()
    })
  } finally {
    await setup.stop()
  }
  const cellsOf = (name: string): Record<string, Cell> =>
    Object.assign({}, ...phps.map(({ version }) => counted[`${version} ${name}`]))
  return {
    versions: { php: phps.map(({ name }) => name).join('; '), store: setup.store, valgrind },
    conditions: [
      `callgrind counts two workers with opcache, one of which serves ${pages} pages more than the other; a session of 1 KB that changes in each page`,
    ],
    tables: {
      'thousands of a page': Object.fromEntries(CONTENDERS.map((name) => [name, cellsOf(name)])),
    },
  }
}

function versionOfValgrind(): string {
  try {
    return execFileSync('valgrind', ['--version'], { encoding: 'utf8' }).trim()
  } catch {
    throw new NotHere('there is no valgrind: package valgrind of Debian')
  }
}

/** The thousands of a page. In pools of one worker each: the first warms opcache, two are compared for each kind of page. */
async function countInstructions(
  php: InstalledPhp,
  setup: Setup,
  name: string,
  pages: number,
): Promise<Record<string, Cell>> {
  const directory = makeScratch('callgrind')
  // The workers are not root.
  chmodSync(directory, 0o1777)
  const fpm = await startContender(php, setup, name, PAGES, {
    workers: [1, 1, 1, 1, 1],
    under: ['valgrind', '--tool=callgrind', '--trace-children=yes', `--callgrind-out-file=${directory}/%p`],
  })
  /** Asks for a page, and gives what callgrind has counted in its worker. */
  const serve = async (pool: number, page: keyof typeof PAGES, count: number) => {
    const ask = fpm.of(pool, page)
    const [visitor] = page === 'none' ? [] : await newVisitors(ask, 1)
    for (let i = 0; i < count; i++) await askNumber(ask, visitor)
    return endAndCount(directory, await askNumber(fpm.of(pool, 'who')))
  }
  try {
    for (const page of Object.values(COUNTED)) await serve(0, page, WARM)
    const counted: Record<string, Cell> = {}
    for (const [at, [what, page]] of Object.entries(COUNTED).entries()) {
      const [few, many] = [await serve(2 * at + 1, page, FEW), await serve(2 * at + 2, page, FEW + pages)]
      counted[`${what}, PHP ${php.version}`] = [shorten((many - few) / pages / 1000)]
    }
    return counted
  } finally {
    await fpm.stop()
    removeScratch(directory)
  }
}

/** Ends a worker, which makes callgrind write what it has counted there. */
async function endAndCount(directory: string, pid: number): Promise<number> {
  const file = join(directory, String(pid))
  const total = () => existsSync(file) && /^totals: (\d+)/m.exec(readFileSync(file, 'utf8'))?.[1]
  process.kill(pid, 'SIGQUIT')
  await until('what callgrind has counted', () => Boolean(total()))
  return Number(total())
}
