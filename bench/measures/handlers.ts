import { runInParallel } from '../../lab/load.ts'
import type { InstalledPhp } from '../../lab/php/installed.ts'
import { type Benchmark, countSteps, type Table } from '../benchmark.ts'
import { NO_ABSTRACT } from '../parts/abstract.ts'
import { countCommands, countRoundTrips } from '../parts/commands.ts'
import { cpuMilliseconds } from '../parts/cpu.ts'
import { type BenchFpm, type BenchFpmOptions, FEW, startBenchFpm } from '../parts/fpm.ts'
import { storeMicroseconds } from '../parts/info.ts'
import { askNumber, measureSpeed, newVisitors, speedOf } from '../parts/load.ts'
import { byMeasure, inTurn } from '../parts/medians.ts'
import { PASSWORD, type Setup } from '../parts/setups.ts'

// The managed handler beside the native one, the peers and `files`, each in a php-fpm of its own.

const VISITORS = 200
const TOGETHER = [10, 50]
const PAGES = {
  change: `session_start(); $_SESSION['pad'] ??= str_repeat('x', 1000); echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;`,
  look: `session_start(); $_SESSION['pad'] ??= str_repeat('x', 1000); echo $_SESSION['n'] ??= 1;`,
  none: `echo 1;`,
  // Five milliseconds between reading and writing, as a page needs.
  work: `session_start(); $n = $_SESSION['n'] ?? 0; usleep(5000); echo $_SESSION['n'] = $n + 1;`,
}
/** Pages without a session, by the contender whose php-fpm serves them. */
const WITHOUT: Readonly<Record<string, string>> = { 'no session': 'files', 'no session, managed': 'managed' }

/** How much is measured. */
export interface Extent {
  readonly php: () => InstalledPhp
  readonly setup: () => Promise<Setup>
  /** Whether the network is slow: then fewer pages count. */
  readonly isFar?: boolean
  /** Whether `--quick` leaves out how a visitor's requests wait for each other. */
  readonly isBrief?: boolean
}

type Fpms = Readonly<Record<string, BenchFpm>>

export const handlers =
  ({ php: findPhp, setup: start, isFar = false, isBrief = isFar }: Extent): Benchmark =>
  async (run) => {
    const php = findPhp()
    const setup = await start()
    const fpms: Record<string, BenchFpm> = {}
    const rounds = run.pick(5, isFar ? 7 : 13)
    const requests = run.pick(100, 200)
    const roundsTogether = run.isQuick && isBrief ? 0 : run.pick(3, 7)
    const pages = (isFar ? 1 : run.pick(2, 6)) * VISITORS
    try {
      for (const name of Object.keys(setup.contenders)) fpms[name] = await startContender(php, setup, name)
      const count = Object.keys(fpms).length
      const step = countSteps(run, rounds * (count + 2) + roundsTogether * count * TOGETHER.length)
      const tables: Record<string, Table> = {
        throughput: await measureThroughput(fpms, setup, rounds, pages, step),
      }
      if (roundsTogether > 0)
        for (const atATime of TOGETHER)
          tables[`contention ${atATime}`] = await measureContention(
            fpms,
            setup,
            { rounds: roundsTogether, requests, atATime },
            step,
          )
      if (setup.nodes.length > 0 && !isFar) tables.commands = await measureCommands(fpms, setup)
      const said = Object.entries(fpms).filter(([, fpm]) =>
        /php-sessions: the session store|warning|error:/i.test(fpm.log()),
      )
      return {
        versions: { php: php.name, store: setup.store },
        conditions: [
          ...setup.conditions,
          `throughput: ${rounds} rounds of ${pages} pages for ${VISITORS} visitors, ${FEW} at a time, by ${FEW} workers with opcache; a session of 1 KB that changes in each page`,
          ...(roundsTogether === 0
            ? []
            : [
                `contention: ${roundsTogether} rounds of ${requests} requests of one visitor to a page that reads its session, works for 5 ms, and writes`,
              ]),
          ...(NO_ABSTRACT === undefined ? [] : [NO_ABSTRACT]),
          ...said.map(([name, fpm]) => `${name} logged: ${fpm.log().slice(0, 500)}`),
        ],
        tables,
      }
    } finally {
      await Promise.all(Object.values(fpms).map((fpm) => fpm.stop()))
      await setup.stop()
    }
  }

/** Starts php-fpm with these pages for a contender of a setup. */
export function startContender(
  php: InstalledPhp,
  setup: Setup,
  name: string,
  pages: Readonly<Record<string, string>> = PAGES,
  more: Partial<BenchFpmOptions> = {},
): Promise<BenchFpm> {
  const { env = {}, pool = [], ini = [], code = '' } = setup.contenders[name] ?? {}
  const own = ['session.save_handler=files', 'session.use_strict_mode=1', 'session.name=PHPSESSIONID']
  const lines = (directory: string) =>
    name === 'files' ? [...own, `session.save_path=${directory}/sessions`] : ini
  const withCode = Object.entries(pages).map(([page, text]) => [page, page === 'none' ? text : code + text])
  return startBenchFpm({ php, lines, pool, env, pages: Object.fromEntries(withCode), ...more })
}

/** Pages that change a session, for many visitors, as many at a time as there are workers; and pages without a session. */
async function measureThroughput(
  fpms: Fpms,
  setup: Setup,
  rounds: number,
  pages: number,
  step: () => void,
): Promise<Table> {
  const visitors: Record<string, string[]> = {}
  for (const [name, { few }] of Object.entries(fpms))
    visitors[name] = await newVisitors(few('change'), VISITORS)
  const runs = await inTurn(rounds, [...Object.keys(WITHOUT), ...Object.keys(fpms)], async (name) => {
    const contender = WITHOUT[name] ?? name
    const { pid, few } = fpms[contender] as BenchFpm
    const before = [cpuMilliseconds(pid), storeMicroseconds(setup.nodes)] as const
    const ask = few(contender === name ? 'change' : 'none')
    const speed = await measureSpeed(ask, visitors[contender] ?? [], pages, FEW)
    step()
    const php = { ...speed, 'PHP µs/page': ((cpuMilliseconds(pid) - before[0]) * 1000) / pages }
    const store = { 'store µs/page': (storeMicroseconds(setup.nodes) - before[1]) / pages }
    return { ...php, ...(setup.nodes.length === 0 ? {} : store) }
  })
  return Object.fromEntries(Object.entries(runs).map(([name, own]) => [name, byMeasure(own)]))
}

/** One visitor's requests. Some handlers refuse some of them: these have no time, and are counted. */
async function measureContention(
  fpms: Fpms,
  { nodes }: Setup,
  { rounds, requests, atATime }: Readonly<Record<'rounds' | 'requests' | 'atATime', number>>,
  step: () => void,
): Promise<Table> {
  const runs = await inTurn(rounds, Object.keys(fpms), async (name) => {
    const ask = (fpms[name] as BenchFpm).many('work')
    const [visitor = ''] = await newVisitors(ask, 1)
    const took: number[] = []
    const start = performance.now()
    const { commands } = await countCommands(nodes, () =>
      runInParallel(requests, atATime, async () => {
        const before = performance.now()
        // Another id is an empty session.
        const answer = await ask(visitor)
        if (/\r\n\r\n\d+$/.test(answer) && !/^(Status:|Set-Cookie:)/im.test(answer))
          took.push(performance.now() - before)
      }),
    )
    const speed = speedOf(took, performance.now() - start)
    const lost = took.length + 2 - (await askNumber(ask, visitor))
    step()
    const counts = { 'updates lost': lost, refused: requests - took.length }
    return { ...speed, ...counts, ...(nodes.length === 0 ? {} : { 'commands/page': commands / requests }) }
  })
  return Object.fromEntries(Object.entries(runs).map(([name, own]) => [name, byMeasure(own)]))
}

/** The commands and round trips of one page when no other request waits for the session. */
async function measureCommands(fpms: Fpms, { nodes }: Setup): Promise<Table> {
  const table: Record<string, Record<string, readonly number[]>> = {}
  for (const [name, { few }] of Object.entries(fpms).filter(([name]) => name !== 'files'))
    for (const [what, word] of [
      ['change', 'changed'],
      ['look', 'unchanged'],
    ] as const) {
      const visitor = await newVisitors(few(what), 1)
      await measureSpeed(few(what), visitor, 5 * FEW, FEW)
      const ask = () => measureSpeed(few(what), visitor, 100, 1)
      const { commands, roundTrips } = await countRoundTrips(nodes, PASSWORD, 100, ask)
      table[name] = {
        ...table[name],
        [`commands, ${word}`]: [commands],
        [`round trips, ${word}`]: [roundTrips],
      }
    }
  return table
}
