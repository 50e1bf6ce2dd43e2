import { parseArgs } from 'node:util'
import { runInParallel } from '../lab/load.ts'
import { debian13Php, machinePhp } from '../lab/php/installed.ts'
import { startMemcached } from '../lab/servers/memcached.ts'
import { cpuMilliseconds } from './cpu.ts'
import { type BenchFpm, FEW, MANY, startBenchFpm } from './fpm.ts'
import { measureSpeed, newVisitors } from './load.ts'
import { inTurn, median, ratio } from './medians.ts'
import { startRelays } from './network.ts'
import { print } from './table.ts'

// The managed handler for Memcached beside the native one and `files`, each in a php-fpm of its own:
// `memcached.ts [--delay MILLISECONDS] [--rounds COUNT] [--debian13]`.

const { values } = parseArgs({
  options: {
    /** What to add to a round trip to the server, in milliseconds. */
    delay: { type: 'string', default: '0' },
    rounds: { type: 'string', default: '7' },
    /** Takes Debian 13's PHP. */
    debian13: { type: 'boolean', default: false },
  },
})
const [delay, rounds] = [Number(values.delay), Number(values.rounds)]

const VISITORS = 200
const PAGES_A_ROUND = (delay === 0 ? 4 : 1) * VISITORS
const REQUESTS = 200
const PAGES = {
  change: `session_start(); $_SESSION['pad'] ??= str_repeat('x', 1000); echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;`,
  look: `session_start(); $_SESSION['pad'] ??= str_repeat('x', 1000); echo $_SESSION['n'] ??= 1;`,
  // Five milliseconds between reading and writing, as a page needs.
  work: `session_start(); $n = $_SESSION['n'] ?? 0; usleep(5000); echo $_SESSION['n'] = $n + 1;`,
}

const second = debian13Php()
if (values.debian13 && 'unavailable' in second) throw new Error(second.unavailable)
const php = values.debian13 && !('unavailable' in second) ? second : machinePhp()
const sasl = { username: 'app', password: 'secret' }
const [plain, secure] = [await startMemcached(), await startMemcached({ sasl })]
const relays = delay === 0 ? undefined : await startRelays(delay, [plain.port, secure.port])
const [port, saslPort] = relays?.ports ?? [plain.port, secure.port]
// All requests of one visitor may wait.
const MANAGED = { PHP_SESSIONS_HANDLER: 'managed', PHP_SESSIONS_MAX_WAITING: '100' }
const PLAIN = { MEMCACHED_URL: `memcached://127.0.0.1:${port}` }
const SASL = { MEMCACHED_URL: `memcached://app:secret@127.0.0.1:${saslPort}` }
const CONTENDERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  files: {},
  native: PLAIN,
  managed: { ...PLAIN, ...MANAGED },
  'native, SASL': SASL,
  'managed, SASL': { ...SASL, ...MANAGED },
}
const BASES = ['native', 'native, SASL']

const fpms: Record<string, BenchFpm> = {}
try {
  const own = ['session.save_handler=files', 'session.use_strict_mode=1', 'session.name=PHPSESSIONID']
  for (const [name, env] of Object.entries(CONTENDERS)) {
    const lines = (directory: string) =>
      name === 'files' ? [...own, `session.save_path=${directory}/sessions`] : []
    fpms[name] = await startBenchFpm({ php, lines, env, pages: PAGES })
  }
  print(`${php.name}; memcached, ${delay} ms added to a round trip; ${rounds} rounds`)
  print('medians of alternating rounds, of ratios within a round')
  await measureThroughput('change')
  await measureThroughput('look')
  if (delay === 0) for (const atATime of [10, MANY]) await measureContention(atATime)
} finally {
  await Promise.all(Object.values(fpms).map((fpm) => fpm.stop()))
  await Promise.all([relays?.stop(), plain.stop(), secure.stop()])
}

async function measureThroughput(page: 'change' | 'look'): Promise<void> {
  const visitors: Record<string, string[]> = {}
  for (const [name, { few }] of Object.entries(fpms)) visitors[name] = await newVisitors(few(page), VISITORS)
  const runs = await inTurn(rounds, Object.keys(fpms), async (name) => {
    const { pid, few } = fpms[name] as BenchFpm
    const before = cpuMilliseconds(pid)
    const result = await measureSpeed(few(page), visitors[name] ?? [], PAGES_A_ROUND, FEW)
    return { ...result, phpMicroseconds: ((cpuMilliseconds(pid) - before) * 1000) / PAGES_A_ROUND }
  })
  print(`\n${page}, ${FEW} at a time`, 'requests/s', ...BASES.map((base) => `of ${base}`), 'PHP µs/page')
  for (const [name, own] of Object.entries(runs)) {
    const of = (what: 'perSecond' | 'phpMicroseconds') => median(own.map((run) => run[what])).toFixed(0)
    const ratios = BASES.map((base) => ratio(own, runs[base], 'perSecond'))
    print(`  ${name}`, of('perSecond'), ...ratios, of('phpMicroseconds'))
  }
}

/** One visitor's requests. The native handler refuses some: these have no time, and are counted. */
async function measureContention(atATime: number): Promise<void> {
  const [lost, refused]: Record<string, number>[] = [{}, {}]
  const runs = await inTurn(rounds, Object.keys(fpms), async (name) => {
    const ask = (fpms[name] as BenchFpm).many('work')
    const [visitor = ''] = await newVisitors(ask, 1)
    const took: number[] = []
    await runInParallel(REQUESTS, atATime, async () => {
      const before = performance.now()
      // Another id is an empty session.
      const answer = await ask(visitor)
      if (/\r\n\r\n\d+$/.test(answer) && !/^(Status:|Set-Cookie:)/im.test(answer))
        took.push(performance.now() - before)
    })
    const count = Number(/\d+$/.exec(await ask(visitor))?.[0])
    const missing = REQUESTS - took.length
    if (refused !== undefined) refused[name] = (refused[name] ?? 0) + missing
    if (lost !== undefined) lost[name] = (lost[name] ?? 0) + REQUESTS + 2 - missing - count
    took.sort((a, b) => a - b)
    const at = (part: number) => took[Math.ceil(took.length * part) - 1] ?? Number.NaN
    return { p50: at(0.5), p99: at(0.99) }
  })
  print(
    `\none visitor, ${atATime} at a time`,
    `lost of ${rounds * REQUESTS}`,
    'refused',
    'p50 of files',
    'p99 of files',
    'p99 ms',
  )
  for (const [name, own] of Object.entries(runs)) {
    const ratios = [ratio(own, runs.files, 'p50'), ratio(own, runs.files, 'p99')]
    const counts = [lost?.[name], refused?.[name]].map(String)
    print(`  ${name}`, ...counts, ...ratios, median(own.map(({ p99 }) => p99)).toFixed(0))
  }
}
