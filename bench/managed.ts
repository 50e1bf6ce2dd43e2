import { readFileSync } from 'node:fs'
import { makeCertificates } from '../lab/certificates.ts'
import { startRedis } from '../lab/redis.ts'
import { countCommands, countInScripts } from './commands.ts'
import { cpuMilliseconds } from './cpu.ts'
import { FEW, type Fpm, MANY, phpName, startFpm } from './fpm.ts'
import { askNumber, type Load, load, newVisitors } from './load.ts'
import { median } from './medians.ts'

const ROUNDS = 7
const THROUGHPUT_ROUNDS = 13
const VISITORS = 400
const REQUESTS = 200
const PAGES = {
  change: `session_start(); $_SESSION['pad'] ??= str_repeat('x', 1000); echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;`,
  look: `session_start(); $_SESSION['pad'] ??= str_repeat('x', 1000); echo $_SESSION['n'] ??= 1;`,
  none: `echo 1;`,
  opcache: `echo (int) (function_exists('opcache_get_status') && opcache_get_status(false)['opcache_enabled']);`,
  // Five milliseconds between reading and writing, as a page takes.
  work: `session_start(); $n = $_SESSION['n'] ?? 0; usleep(5000); echo $_SESSION['n'] = $n + 1;`,
}

/** The managed handler beside the native one and `files`, each in a php-fpm of its own. */
const tls = makeCertificates()
const redis = await startRedis({ password: 'secret', tls })
const plain = { REDIS_URL: `redis://:secret@127.0.0.1:${redis.port}` }
const secure = {
  REDIS_URL: `rediss://:secret@localhost:${redis.tlsPort}`,
  REDIS_CA: readFileSync(tls.ca, 'utf8'),
}
const unlocked = { PHP_SESSIONS_LOCKING: 'off' }
const managed = { PHP_SESSIONS_HANDLER: 'managed' }

const contenders: Record<string, Readonly<Record<string, string>>> = {
  files: {},
  'native, no lock': { ...plain, ...unlocked },
  native: plain,
  managed: { ...plain, ...managed },
  'native, no lock, TLS': { ...secure, ...unlocked },
  'native, TLS': secure,
  'managed, TLS': { ...secure, ...managed },
}
const fpms: Record<string, Fpm> = {}
try {
  for (const [name, env] of Object.entries(contenders)) fpms[name] = await start(env)
  const { few, page } = fpms.managed as Fpm
  const opcache = (await askNumber(few, page('opcache'))) === 1 ? 'on' : 'OFF'
  print(`${phpName}, opcache ${opcache}; medians of alternating rounds, of ratios within a round`)
  await measureThroughput()
  await measureContention(10)
  await measureContention(MANY)
  await measureCommands()
  for (const [name, fpm] of Object.entries(fpms))
    if (/php-sessions: the session store|warning|error:/i.test(fpm.log())) print(`${name}: ${fpm.log()}`)
} finally {
  await Promise.all(Object.values(fpms).map((fpm) => fpm.stop()))
  await redis.stop()
  tls.remove()
}

function start(env: Readonly<Record<string, string>>): Promise<Fpm> {
  const own = ['session.save_handler=files', 'session.use_strict_mode=1', 'session.name=PHPSESSIONID']
  const lines = (directory: string) =>
    env.REDIS_URL === undefined ? [...own, `session.save_path=${directory}/sessions`] : []
  return startFpm(lines, env, PAGES)
}

/** A session that changes in each request, of many visitors, as many at a time as workers; and pages without one. */
async function measureThroughput(): Promise<void> {
  const visitors: Record<string, string[]> = {}
  for (const [name, { few, page }] of Object.entries(fpms))
    visitors[name] = await newVisitors(few, page('change'), VISITORS)
  const without = { 'no session': 'files', 'no session, managed': 'managed' }
  const runs = await inTurn(
    THROUGHPUT_ROUNDS,
    [...Object.keys(without), ...Object.keys(fpms)],
    async (name) => {
      const other = without[name as keyof typeof without]
      const { pid, few, page } = fpms[other ?? name] as Fpm
      const asked = page(other === undefined ? 'change' : 'none')
      const before = [cpuMilliseconds(pid), redisMilliseconds()] as const
      const result = await load(few, asked, visitors[other ?? name] ?? [], 3 * VISITORS, FEW)
      const perPage = (milliseconds: number) => (milliseconds * 1000) / (3 * VISITORS)
      return {
        ...result,
        phpMicroseconds: perPage(cpuMilliseconds(pid) - before[0]),
        redisMicroseconds: perPage(redisMilliseconds() - before[1]),
      }
    },
  )
  const head = ['requests/s', 'of native', 'range', 'of native, TLS', 'range', 'PHP us/page', 'Redis us/page']
  print(`\nthroughput, ${FEW} at a time`, ...head)
  for (const [name, own] of Object.entries(runs)) {
    const ratios = ['native', 'native, TLS'].flatMap((base) => ratio(own, runs[base], 'perSecond'))
    const [perSecond = '', ...cpu] = (['perSecond', 'phpMicroseconds', 'redisMicroseconds'] as const).map(
      (what) => median(own.map((run) => run[what])).toFixed(0),
    )
    print(`  ${name}`, perSecond, ...ratios, ...cpu)
  }
}

/** The processor time that Redis has used. */
function redisMilliseconds(): number {
  const used = redis.cli('INFO', 'cpu').matchAll(/^used_cpu_(?:sys|user):([\d.]+)/gm)
  return [...used].reduce((sum, [, seconds]) => sum + Number(seconds) * 1000, 0)
}

/** One visitor's requests; a session is read, worked on for 5 ms and written. */
async function measureContention(atATime: number): Promise<void> {
  const lost: Record<string, number> = {}
  const counted: Record<string, number> = {}
  const names = ['files', 'native, no lock', 'native', 'managed']
  const runs = await inTurn(ROUNDS, names, async (name) => {
    const { many, page } = fpms[name] as Fpm
    const visitor = await newVisitors(many, page('work'), 1)
    const run = () => load(many, page('work'), visitor, REQUESTS, atATime)
    const { result, commands } = await countCommands(redis, run)
    const missing = REQUESTS + 2 - (await askNumber(many, page('work'), visitor[0]))
    lost[name] = (lost[name] ?? 0) + missing
    counted[name] = commands
    return result
  })
  const head = [
    `lost of ${ROUNDS * REQUESTS}`,
    'p50 of files',
    'range',
    'p99 of files',
    'range',
    'commands/page',
  ]
  print(`\none visitor, ${atATime} at a time`, ...head)
  for (const [name, own] of Object.entries(runs)) {
    const ratios = (['p50', 'p99'] as const).flatMap((what) => ratio(own, runs.files, what))
    print(`  ${name}`, String(lost[name]), ...ratios, ((counted[name] ?? 0) / REQUESTS).toFixed(1))
  }
}

/** What one page asks of Redis when nobody waits. */
async function measureCommands(): Promise<void> {
  print('\nnobody waits', 'commands/page', 'round trips')
  for (const what of ['change', 'look'] as const)
    for (const name of ['native, no lock', 'native', 'managed']) {
      const { few, page } = fpms[name] as Fpm
      const visitor = await newVisitors(few, page(what), 1)
      await load(few, page(what), visitor, 5 * FEW, FEW)
      const run = () => load(few, page(what), visitor, 100, 1)
      const { result, commands } = await countCommands(redis, () => countInScripts(redis, 'secret', run))
      // Three more are ours: the login of the monitor, the ECHO and its login.
      const all = commands - 3
      print(`  ${name}, ${what}`, (all / 100).toFixed(2), ((all - result.commands) / 100).toFixed(2))
    }
}

/** Each once a round, one after the other: noise hits them all alike. */
async function inTurn<Run>(
  rounds: number,
  names: readonly string[],
  run: (name: string) => Promise<Run>,
): Promise<Record<string, Run[]>> {
  const runs: Record<string, Run[]> = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) for (const name of names) runs[name]?.push(await run(name))
  return runs
}

/** The median of the ratios within a round, and the least and the greatest. */
function ratio(own: readonly Load[], base: readonly Load[] | undefined, what: keyof Load): string[] {
  const ratios = own.map((run, i) => run[what] / (base?.[i]?.[what] ?? Number.NaN))
  return [median(ratios).toFixed(2), `${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)}`]
}

function print(first: string, ...cells: readonly string[]): void {
  const width = first.startsWith('\n') ? 25 : 24
  process.stdout.write(`${first.padEnd(width)}${cells.map((cell) => cell.padStart(15)).join('')}\n`)
}
