import { setTimeout as sleep } from 'node:timers/promises'
import { vcapServices } from '../../lab/bindings.ts'
import { runInParallel } from '../../lab/load.ts'
import { cookieIn } from '../../lab/php/fastcgi.ts'
import { debian13Php, type InstalledPhp, machinePhp } from '../../lab/php/installed.ts'
import { type Memcached, startMemcached } from '../../lab/servers/memcached.ts'
import { type Benchmark, type Cell, countSteps, sortRows } from '../benchmark.ts'
import { startBenchFpm } from '../parts/fpm.ts'
import { median } from '../parts/medians.ts'
import { memcachedName } from '../parts/setups.ts'

// What visitors see when one of a Memcached pool's three servers is killed or frozen, and what they see of one server with
// the managed handler.

const VISITORS = 24
const AWAY_SECONDS = 5
const PAGE = `$is = @session_start(); $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1; echo $is ? 'n' : 'none', $_SESSION['n'];`

const FAULTS: Readonly<Record<string, (server: Memcached) => unknown>> = {
  killed: (server) => server.stop(),
  frozen: (server) => server.signal('SIGSTOP'),
}
const PLACES: readonly (readonly [name: string, servers: number, env: Readonly<Record<string, string>>])[] = [
  ['native, one of three', 3, {}],
  ['managed, the only one', 1, { PHP_SESSIONS_HANDLER: 'managed' }],
]

interface Visitor {
  cookie: string
  count: number
  acknowledged: number
}

type Saw = 'kept' | 'new' | 'an older session' | 'no session' | `status ${string}`

export const pool: Benchmark = async (run) => {
  const second = debian13Php()
  const phps: readonly InstalledPhp[] = [machinePhp(), ...('unavailable' in second ? [] : [second])]
  const cases = Object.keys(FAULTS).flatMap((fault) =>
    PLACES.flatMap(([place, servers, env]) => phps.map((php) => ({ fault, place, servers, env, php }))),
  )
  const step = countSteps(run, cases.length)
  const tables: Record<string, Record<string, Record<string, Cell>>> = Object.fromEntries(
    cases.map(({ place, fault }) => [`${place}, ${fault}`, {}]),
  )
  // Most of it is waiting.
  await runInParallel(cases.length, run.pick(8, 4), async (i) => {
    const { fault, place, servers, env, php } = cases[i] as (typeof cases)[number]
    const cells = await suffer(php, fault, servers, env)
    const table = tables[`${place}, ${fault}`] ?? {}
    table[`PHP ${php.version}`] = cells
    step()
  })
  return {
    versions: { php: phps.map(({ name }) => name).join('; '), store: memcachedName() },
    conditions: [
      `${VISITORS} visitors, all at once, each of whom has come twice before; the second time is ${AWAY_SECONDS} s after all are answered, the last ${AWAY_SECONDS} s after the server is back: empty, or thawed`,
    ],
    tables: Object.fromEntries(Object.entries(tables).map(([name, rows]) => [name, sortRows(rows)])),
  }
}

/** Lets all visitors come: before the fault, twice while the server is away, and when it is back. */
async function suffer(
  php: InstalledPhp,
  fault: string,
  servers: number,
  env: Readonly<Record<string, string>>,
): Promise<Record<string, Cell>> {
  const found: Record<string, Cell> = {}
  const pool = await Promise.all(Array.from({ length: servers }, () => startMemcached()))
  const credentials = { servers: pool.map(({ port }) => `127.0.0.1:${port}`).join(',') }
  const fpm = await startBenchFpm({
    php,
    lines: () => ['output_buffering=4096'],
    workers: [VISITORS],
    env: { VCAP_SERVICES: vcapServices({ name: 'memcached-sessions', credentials }), ...env },
    pages: { page: PAGE },
  })
  let [victim] = pool as [Memcached]
  try {
    const visitors = Array.from(
      { length: VISITORS },
      (): Visitor => ({ cookie: '', count: 0, acknowledged: 0 }),
    )
    const comeAll = async (when: string) => {
      const took: number[] = []
      const saw = await Promise.all(
        visitors.map(async (visitor) => {
          const start = performance.now()
          const one = await come(visitor, fpm.few('page'))
          took.push((performance.now() - start) / 1000)
          return one
        }),
      )
      const counts = [...new Set(saw)]
        .sort()
        .map((one) => `${saw.filter((other) => other === one).length} ${one}`)
      const times = `${median(took).toFixed(1)} s, at most ${Math.max(...took).toFixed(1)} s`
      if (when === '') return
      found[when] = counts.join(', ')
      found[`${when}, time`] = times
    }
    await comeAll('')
    await comeAll('')
    await FAULTS[fault]?.(victim)
    await comeAll('at once')
    await sleep(AWAY_SECONDS * 1000)
    await comeAll('the second time')
    if (fault === 'killed') victim = await startMemcached({ at: victim })
    else victim.signal('SIGCONT')
    await sleep(AWAY_SECONDS * 1000)
    await comeAll('when it is back')
    const lost = visitors.map(({ count, acknowledged }) => acknowledged - count)
    found['updates lost'] = String(lost.reduce((sum, one) => sum + Math.max(0, one), 0))
    return found
  } finally {
    victim.signal('SIGCONT')
    await fpm.stop()
    await Promise.all([victim, ...pool.slice(1)].map((server) => server.stop()))
  }
}

async function come(visitor: Visitor, ask: (cookie: string) => Promise<string>): Promise<Saw> {
  const answer = await ask(visitor.cookie).catch(() => 'Status: 502')
  visitor.cookie = cookieIn(answer) ?? visitor.cookie
  const status = /^Status: (\d+)/m.exec(answer)?.[1]
  if (status !== undefined) return `status ${status}`
  const [, is, count] = /(n|none)(\d+)$/.exec(answer) ?? []
  if (is !== 'n') return 'no session'
  const isNext = Number(count) === visitor.count + 1
  visitor.count = Number(count)
  visitor.acknowledged++
  return Number(count) === 1 ? 'new' : isNext ? 'kept' : 'an older session'
}
