import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Service, showsCanary, vcapServices } from '../lab/bindings.ts'
import { cookieIn } from '../lab/php/fastcgi.ts'
import { debian13Php, type InstalledPhp, machinePhp } from '../lab/php/installed.ts'
import { STORE_FAULTS, startBreakable } from '../lab/redis/faults.ts'
import { MEMCACHED_FAULTS, startBreakableMemcached } from '../lab/servers/memcached-faults.ts'
import { startBenchFpm } from './fpm.ts'
import { median } from './medians.ts'

const TRIES = 3
/** As long as nginx waits for php-fpm before it answers 504; the native handler for Memcached needs longer. */
const LIMIT_SECONDS = process.argv.includes('--memcached') ? 130 : 60
const HOLD_MILLISECONDS = 300
const VISIT = `session_start(); $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;`
const PAGES = {
  page: `${VISIT} echo 'visit ', $_SESSION['n'];`,
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

/** The faults of Redis, and of Memcached: `faults.ts [PART OF A NAME] [--memcached] [--managed]`. */
const isMemcached = process.argv.includes('--memcached')
const FAULTS: Readonly<Record<string, Broken>> = isMemcached
  ? mapFaults(MEMCACHED_FAULTS, (fault) => ({
      page: fault.page ?? 'page',
      start: () => startBreakableMemcached(fault),
    }))
  : mapFaults(STORE_FAULTS, (fault) => ({ page: 'page', start: () => startBreakable(fault) }))
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

const handlers = ['native', 'managed'].filter(
  (one) => one === 'managed' || !process.argv.includes('--managed'),
)
const other = debian13Php()
const phps: readonly InstalledPhp[] = [machinePhp(), ...('unavailable' in other ? [] : [other])]
const wanted = process.argv.slice(2).find((one) => !one.startsWith('--')) ?? ''

const columns = phps.flatMap((php) => handlers.map((handler) => ({ php, handler })))
print('', ...columns.map(({ php, handler }) => `${handler}, ${php.name.split(', php-memcached')[0]}`))
print(...Array<string>(columns.length + 1).fill('---'))
for (const [name, fault] of Object.entries(FAULTS)) {
  if (!name.includes(wanted)) continue
  const cells: string[] = []
  for (const { php, handler } of columns) {
    // At the same time: most of it is waiting.
    const tries = (isNew: boolean) => Array.from({ length: TRIES }, () => suffer(fault, php, handler, isNew))
    cells.push(describeOutcomes(await Promise.all(tries(false)), await Promise.all(tries(true))))
  }
  print(name, ...cells)
}

/** Lets a worker serve a visitor, breaks the store, and asks the worker again: as the same visitor or as a new one. */
async function suffer(
  fault: Broken,
  php: InstalledPhp,
  handler: string,
  isNew: boolean,
): Promise<VisitorOutcome> {
  const store = await fault.start()
  const env = { VCAP_SERVICES: vcapServices(store.service), PHP_SESSIONS_HANDLER: handler }
  let file = ''
  const lines = (directory: string) => {
    file = join(directory, 'php.log')
    return [...PHP_INI, `error_log=${file}`]
  }
  const fpm = await startBenchFpm({ php, lines, workers: [1], env, pages: PAGES })
  try {
    const ask = (cookie?: string, page: keyof typeof PAGES = 'page') =>
      fpm
        .few(page)(cookie)
        .catch(() => '')
    const first = await ask()
    const cookie = cookieIn(first)
    if (cookie === undefined || !first.endsWith('visit 1'))
      throw new Error(`no session: ${first}${fpm.log()}`)
    const before = read(file)
    const isHeld = fault.page === 'hold'
    if (!isHeld) await store.break()
    const start = performance.now()
    const asked = inTime(ask(isNew ? undefined : cookie, fault.page))
    if (isHeld) await sleep(HOLD_MILLISECONDS).then(() => store.break())
    const answer = await asked
    const seconds = (performance.now() - start) / 1000
    // php-fpm notices a dead worker later than its visitor does.
    if (answer === '') await sleep(500)
    const log = read(file).slice(before.length)
    const count = Number(/visit (\d+)$/.exec(answer)?.[1])
    const isKept = count === 2 && (await ask(cookie)).endsWith('visit 3')
    return {
      status: answer === '' ? '502' : (/^Status: (\d+)/m.exec(answer)?.[1] ?? '200'),
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

async function inTime(answer: Promise<string>): Promise<string> {
  const over = new AbortController()
  const late = sleep(LIMIT_SECONDS * 1000, 'Status: 504', { signal: over.signal })
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

/** What a visitor with a session got; then the status that a new visitor got, where it differs. */
function describeOutcomes(outcomes: readonly VisitorOutcome[], ofNew: readonly VisitorOutcome[]): string {
  const lines = outcomes.map((outcome) => outcome.lines)
  const [least, most] = [Math.min(...lines), Math.max(...lines)]
  const [status, statusOfNew] = [statuses(outcomes), statuses(ofNew)]
  return [
    status,
    distinct(outcomes.map(({ saw }) => saw)),
    ...(outcomes.some(({ hasNewCookie }) => hasNewCookie) ? ['a new id'] : []),
    `${median(outcomes.map(({ seconds }) => seconds)).toFixed(1)} s`,
    `${least === most ? most : `${least} to ${most}`} ${most === 1 ? 'line' : 'lines'}`,
    ...([...outcomes, ...ofNew].some(({ hasPassword }) => hasPassword) ? ['**the password**'] : []),
    ...(status === statusOfNew ? [] : [`a new visitor: ${statusOfNew}`]),
  ].join(', ')
}

function statuses(outcomes: readonly VisitorOutcome[]): string {
  return distinct(outcomes.map(({ status, hasCrashed }) => `${status}${hasCrashed ? ' (a crash)' : ''}`))
}

function distinct(values: readonly string[]): string {
  return [...new Set(values)].sort().join(' or ')
}

function print(...cells: readonly string[]): void {
  process.stdout.write(`| ${cells.join(' | ')} |\n`)
}
