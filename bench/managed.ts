import { parseArgs } from 'node:util'
import { debian13Php, machinePhp } from '../lab/php/installed.ts'
import type { Unavailable } from '../lab/processes/program.ts'
import { debian13Valkey } from '../lab/redis/server.ts'
import { countCommands, countRoundTrips } from './commands.ts'
import { cpuMilliseconds } from './cpu.ts'
import { type BenchFpm, FEW, MANY, startBenchFpm } from './fpm.ts'
import { askNumber, measureSpeed, newVisitors } from './load.ts'
import { inTurn, median, ratio } from './medians.ts'
import { cluster, oneServer, PASSWORD } from './setups.ts'
import { print } from './table.ts'

// The managed handler beside the native one and `files`, each in a php-fpm of its own:
// `managed.ts [--cluster | --delay MILLISECONDS] [--debian13] [--valkey]`.

const { values } = parseArgs({
  options: {
    cluster: { type: 'boolean', default: false },
    /** What to add to a round trip to the server, in milliseconds. */
    delay: { type: 'string', default: '0' },
    /** Takes Debian 13's PHP. */
    debian13: { type: 'boolean', default: false },
    valkey: { type: 'boolean', default: false },
  },
})
const delay = Number(values.delay)

const ROUNDS = 7
const THROUGHPUT_ROUNDS = delay === 0 ? 13 : 7
const VISITORS = 400
const PAGES_A_ROUND = (delay === 0 ? 3 : 1) * VISITORS
const REQUESTS = 200
const PAGES = {
  change: `session_start(); $_SESSION['pad'] ??= str_repeat('x', 1000); echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;`,
  look: `session_start(); $_SESSION['pad'] ??= str_repeat('x', 1000); echo $_SESSION['n'] ??= 1;`,
  none: `echo 1;`,
  opcache: `echo (int) (function_exists('opcache_get_status') && opcache_get_status(false)['opcache_enabled']);`,
  // Five milliseconds between reading and writing, as a page needs.
  work: `session_start(); $n = $_SESSION['n'] ?? 0; usleep(5000); echo $_SESSION['n'] = $n + 1;`,
}

const php = values.debian13 ? available(debian13Php()) : machinePhp()
const program = values.valkey ? available(debian13Valkey()) : undefined
const setup = await (values.cluster ? cluster(program) : oneServer(program, delay))
const fpms: Record<string, BenchFpm> = {}
try {
  for (const name of Object.keys(setup.contenders)) fpms[name] = await start(name)
  const { few } = fpms.managed as BenchFpm
  const opcache = (await askNumber(few('opcache'))) === 1 ? 'on' : 'OFF'
  print(`${php.name}, opcache ${opcache}; ${setup.title}`)
  print('medians of alternating rounds, of ratios within a round')
  await measureThroughput()
  await measureContention(10)
  await measureContention(MANY)
  await measureCommands()
  for (const [name, fpm] of Object.entries(fpms))
    if (/php-sessions: the session store|warning|error:/i.test(fpm.log())) print(`${name}: ${fpm.log()}`)
} finally {
  await Promise.all(Object.values(fpms).map((fpm) => fpm.stop()))
  await setup.stop()
}

/** Ends the benchmark where a thing is not available. */
function available<Thing extends object>(thing: Thing | Unavailable): Thing {
  if (!('unavailable' in thing)) return thing
  print(`not measured: ${thing.unavailable}`)
  process.exit()
}

function start(name: string): Promise<BenchFpm> {
  const { env = {}, ...pool } = setup.contenders[name] ?? {}
  const own = ['session.save_handler=files', 'session.use_strict_mode=1', 'session.name=PHPSESSIONID']
  const lines = (directory: string) =>
    name === 'files' ? [...own, `session.save_path=${directory}/sessions`] : []
  return startBenchFpm({ php, lines, ...pool, env, pages: PAGES })
}

/** Pages that change a session, for many visitors, as many at a time as there are workers; and pages without a session. */
async function measureThroughput(): Promise<void> {
  const visitors: Record<string, string[]> = {}
  for (const [name, { few }] of Object.entries(fpms))
    visitors[name] = await newVisitors(few('change'), VISITORS)
  const without = { 'no session': 'files', 'no session, managed': 'managed' }
  const runs = await inTurn(
    THROUGHPUT_ROUNDS,
    [...Object.keys(without), ...Object.keys(fpms)],
    async (name) => {
      const other = without[name as keyof typeof without]
      const { pid, few } = fpms[other ?? name] as BenchFpm
      const ask = few(other === undefined ? 'change' : 'none')
      const before = [cpuMilliseconds(pid), storeMilliseconds()] as const
      const result = await measureSpeed(ask, visitors[other ?? name] ?? [], PAGES_A_ROUND, FEW)
      const perPage = (milliseconds: number) => (milliseconds * 1000) / PAGES_A_ROUND
      return {
        ...result,
        phpMicroseconds: perPage(cpuMilliseconds(pid) - before[0]),
        storeMicroseconds: perPage(storeMilliseconds() - before[1]),
      }
    },
  )
  const head = setup.bases.map((base) => `of ${base}`)
  print(`\nthroughput, ${FEW} at a time`, 'requests/s', ...head, 'PHP µs/page', 'store µs/page')
  for (const [name, own] of Object.entries(runs)) {
    const ratios = setup.bases.map((base) => ratio(own, runs[base], 'perSecond'))
    const [perSecond = '', ...cpu] = (['perSecond', 'phpMicroseconds', 'storeMicroseconds'] as const).map(
      (what) => median(own.map((run) => run[what])).toFixed(0),
    )
    print(`  ${name}`, perSecond, ...ratios, ...cpu)
  }
}

/** The processor time that the nodes have used so far. */
function storeMilliseconds(): number {
  const used = setup.nodes.flatMap((node) => [
    ...node.cli('INFO', 'cpu').matchAll(/^used_cpu_(?:sys|user):([\d.]+)/gm),
  ])
  return used.reduce((sum, [, seconds]) => sum + Number(seconds) * 1000, 0)
}

/** One visitor's requests; a session is read, worked on for 5 ms and written. */
async function measureContention(atATime: number): Promise<void> {
  const lost: Record<string, number> = {}
  const counted: Record<string, number> = {}
  const runs = await inTurn(ROUNDS, Object.keys(fpms), async (name) => {
    const { many } = fpms[name] as BenchFpm
    const visitor = await newVisitors(many('work'), 1)
    const run = () => measureSpeed(many('work'), visitor, REQUESTS, atATime)
    const { result, commands } = await countCommands(setup.nodes, run)
    const missing = REQUESTS + 2 - (await askNumber(many('work'), visitor[0]))
    lost[name] = (lost[name] ?? 0) + missing
    counted[name] = commands
    return result
  })
  const head = ['p50 of files', 'p99 of files', 'p99 of native', 'p99 ms', 'commands/page']
  print(`\none visitor, ${atATime} at a time`, `lost of ${ROUNDS * REQUESTS}`, ...head)
  for (const [name, own] of Object.entries(runs)) {
    const ratios = [
      ratio(own, runs.files, 'p50'),
      ratio(own, runs.files, 'p99'),
      ratio(own, runs.native, 'p99'),
      median(own.map(({ p99 }) => p99)).toFixed(0),
    ]
    print(`  ${name}`, String(lost[name]), ...ratios, ((counted[name] ?? 0) / REQUESTS).toFixed(1))
  }
}

/** The commands and round trips of one page when no other request waits for the session. */
async function measureCommands(): Promise<void> {
  print('\nnobody waits', 'commands/page', 'round trips')
  for (const what of ['change', 'look'] as const)
    for (const [name, { few }] of Object.entries(fpms).filter(([name]) => name !== 'files')) {
      const visitor = await newVisitors(few(what), 1)
      await measureSpeed(few(what), visitor, 5 * FEW, FEW)
      const run = () => measureSpeed(few(what), visitor, 100, 1)
      const { commands, roundTrips } = await countRoundTrips(setup.nodes, PASSWORD, 100, run)
      print(`  ${name}, ${what}`, commands.toFixed(2), roundTrips.toFixed(2))
    }
}
