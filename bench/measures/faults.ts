import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Service, showsCanary, vcapServices } from '../../lab/bindings.ts'
import { runInParallel } from '../../lab/load.ts'
import { cookieIn } from '../../lab/php/fastcgi.ts'
import { debian13Php, type InstalledPhp, machinePhp } from '../../lab/php/installed.ts'
import { STORE_FAULTS, startBreakable } from '../../lab/redis/faults.ts'
import { MEMCACHED_FAULTS, startBreakableMemcached } from '../../lab/servers/memcached-faults.ts'
import { type Benchmark, type Cell, countSteps, sortRows } from '../benchmark.ts'
import { again } from '../parts/again.ts'
import { startBenchFpm } from '../parts/fpm.ts'
import { shorten } from '../parts/medians.ts'

const HANDLERS = ['native', 'managed']
/** On a busy machine a store can be late before it is broken. */
const STARTS = 4
const HOLD_MILLISECONDS = 300
const VISIT = `session_start(); $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;`
const PAGES = {
  page: `is_writable(ini_get('error_log')) or exit('no log'); ${VISIT} echo 'visit ', $_SESSION['n'];`,
  hold: `${VISIT} usleep(2_000_000); echo 'visit ', $_SESSION['n'];`,
  big: `${VISIT} $_SESSION['big'] = str_repeat('x', 1_500_000); echo 'visit ', $_SESSION['n'];`,
}

interface Broken {
  /** The page that meets the fault. */
  readonly page: keyof typeof PAGES
  start(): Promise<{
    readonly service: Service
    break(): Promise<void>
    stop(): Promise<void>
  }>
}

type Faults = Readonly<Record<string, Broken>>

const REDIS: Faults = mapFaults(STORE_FAULTS, (fault) => ({
  page: 'page',
  start: () => startBreakable(fault),
}))
const MEMCACHED: Faults = mapFaults(MEMCACHED_FAULTS, (fault) => ({
  page: fault.page ?? 'page',
  start: () => startBreakableMemcached(fault),
}))
/** As in the php.ini for production; the log goes into a file that the benchmark reads. */
const PHP_INI = ['display_errors=0', 'log_errors=1', 'html_errors=0', 'output_buffering=4096']

/** What a visitor got while the store failed. */
interface VisitorOutcome {
  readonly status: string
  readonly saw: string
  /** A new id: the visitor loses a session that outlives the fault. */
  readonly hasNewCookie: boolean
  readonly seconds: number
  readonly lines: number
  readonly hasPassword: boolean
  readonly hasCrashed: boolean
}

/** As long as nginx waits for php-fpm before it answers 504; the native handler for Memcached needs longer. */
export const redisFaults = faults(REDIS, 60, () => `Redis ${versionOf('redis-server')}`)
export const memcachedFaults = faults(MEMCACHED, 130, () => versionOf('memcached'))

function faults(all: Faults, limitSeconds: number, nameStore: () => string): Benchmark {
  return async (run) => {
    const second = debian13Php()
    const phps: readonly InstalledPhp[] = [machinePhp(), ...('unavailable' in second ? [] : [second])]
    const [tries, atATime] = [run.pick(1, 3), run.pick(6, 4)]
    const cases = Object.entries(all).flatMap(([name, fault]) =>
      phps.flatMap((php) => HANDLERS.map((handler) => ({ name, fault, php, handler }))),
    )
    const step = countSteps(run, cases.length)
    const tables: Record<string, Record<string, Record<string, Cell>>> = {}
    // Most of it is waiting.
    await runInParallel(cases.length, atATime, async (i) => {
      const { name, fault, php, handler } = cases[i] as (typeof cases)[number]
      const suffered = (isNew: boolean) =>
        Promise.all(
          Array.from({ length: tries }, () =>
            again(STARTS, () => suffer(fault, php, handler, isNew, limitSeconds)),
          ),
        )
      const [known, fresh] = await Promise.all([suffered(false), run.isQuick ? [] : suffered(true)])
      tables[name] ??= {}
      tables[name][`${handler}, PHP ${php.version}`] = describeOutcomes(known, fresh)
      step()
    })
    return {
      versions: { php: phps.map(({ name }) => name).join('; '), store: nameStore() },
      conditions: [
        `one worker that has served the visitor before; ${tries} tries, ${atATime} cases at a time; who gets no answer in ${limitSeconds} s gets 504; 502 is a worker that crashed`,
      ],
      tables: Object.fromEntries(Object.keys(all).map((name) => [name, sortRows(tables[name] ?? {})])),
    }
  }
}

function versionOf(program: string): string {
  const text = execFileSync(program, [program === 'memcached' ? '-V' : '--version'], { encoding: 'utf8' })
  return /v=(\S+)/.exec(text)?.[1] ?? text.trim()
}

/** Lets a worker serve a visitor, breaks the store, and asks the worker again: as the same visitor or as a new one. */
async function suffer(
  fault: Broken,
  php: InstalledPhp,
  handler: string,
  isNew: boolean,
  limitSeconds: number,
): Promise<VisitorOutcome> {
  const store = await fault.start()
  const env = { VCAP_SERVICES: vcapServices(store.service), PHP_SESSIONS_HANDLER: handler }
  let file = ''
  const lines = (directory: string) => {
    file = join(directory, 'php.log')
    // The workers are not root.
    writeFileSync(file, '')
    chmodSync(file, 0o666)
    return [...PHP_INI, `error_log=${file}`]
  }
  const fpm = await startBenchFpm({ php, lines, workers: [1], env, pages: PAGES })
  try {
    let reason = ''
    const ask = (cookie?: string, page: keyof typeof PAGES = 'page') =>
      fpm
        .few(page)(cookie)
        .catch(({ code }: NodeJS.ErrnoException) => {
          reason = ` (${code})`
          return ''
        })
    const first = await ask()
    const cookie = cookieIn(first)
    if (cookie === undefined || !first.endsWith('visit 1'))
      throw new Error(`no session: ${first}${fpm.log()}`)
    const before = read(file)
    const isHeld = fault.page === 'hold'
    if (!isHeld) await store.break()
    const start = performance.now()
    const asked = inTime(ask(isNew ? undefined : cookie, fault.page), limitSeconds)
    if (isHeld) await sleep(HOLD_MILLISECONDS).then(() => store.break())
    const answer = await asked
    const seconds = (performance.now() - start) / 1000
    // php-fpm notices a dead worker later than its visitor does.
    if (answer === '') await sleep(500)
    const log = read(file).slice(before.length)
    const count = Number(/visit (\d+)$/.exec(answer)?.[1])
    const isKept = count === 2 && (await ask(cookie)).endsWith('visit 3')
    return {
      status: answer === '' ? `502${reason}` : (/^Status: (\d+)/m.exec(answer)?.[1] ?? '200'),
      saw: sawOf(count, isKept),
      hasNewCookie: cookieIn(answer) !== undefined,
      seconds,
      lines: log.split('\n').length - 1,
      hasPassword: showsCanary(log + fpm.log()),
      hasCrashed: /exited on signal/.test(fpm.log()),
    }
  } finally {
    await fpm.stop()
    await store.stop()
  }
}

async function inTime(answer: Promise<string>, limitSeconds: number): Promise<string> {
  const over = new AbortController()
  const late = sleep(limitSeconds * 1000, 'Status: 504', { signal: over.signal })
  return Promise.race([answer, late]).finally(() => over.abort())
}

function mapFaults<Fault>(
  faults: Readonly<Record<string, Fault>>,
  toBroken: (fault: Fault) => Broken,
): Readonly<Record<string, Broken>> {
  return Object.fromEntries(Object.entries(faults).map(([name, fault]) => [name, toBroken(fault)]))
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function sawOf(count: number, isKept: boolean): string {
  if (Number.isNaN(count)) return 'nothing'
  if (count === 1) return 'an empty session'
  return isKept ? 'its session' : 'its session, which is not kept'
}

/** What a visitor with a session got, and what a new one. */
function describeOutcomes(
  outcomes: readonly VisitorOutcome[],
  ofNew: readonly VisitorOutcome[],
): Record<string, Cell> {
  const all = [...outcomes, ...ofNew]
  return {
    status: statuses(outcomes),
    'the app saw': distinct(outcomes.map(({ saw }) => saw)),
    'new id': distinct(outcomes.map(({ hasNewCookie }) => (hasNewCookie ? 'yes' : 'no'))),
    seconds: outcomes.map(({ seconds }) => shorten(seconds)),
    'log lines': outcomes.map(({ lines }) => lines),
    'password in the log': all.some(({ hasPassword }) => hasPassword) ? 'yes' : 'no',
    ...(ofNew.length === 0 ? {} : { 'status of a new visitor': statuses(ofNew) }),
  }
}

function statuses(outcomes: readonly VisitorOutcome[]): string {
  return distinct(outcomes.map(({ status, hasCrashed }) => `${status}${hasCrashed ? ' (a crash)' : ''}`))
}

function distinct(values: readonly string[]): string {
  return [...new Set(values)].sort().join(' or ')
}
