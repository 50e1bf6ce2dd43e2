import { machinePhp } from '../../lab/php/installed.ts'
import { type Benchmark, countSteps, type Run, type Table } from '../benchmark.ts'
import { again } from '../parts/again.ts'
import { storeNames } from '../parts/setups.ts'
import { type ConnectionCase, measureConnections, nameConnectionCase } from '../scale/connections.ts'
import { HANDSHAKES, measureHandshakes, measureSignatures } from '../scale/handshakes.ts'
import { measureMemcached } from '../scale/memcached.ts'
import { measurePages } from '../scale/pages.ts'
import { measureRestart, nameRestartCase } from '../scale/restart.ts'
import { type Measure, nameMasters, namePageCase, pageCase, type ScaleTables } from '../scale/results.ts'
import { measureSessions } from '../scale/sessions.ts'
import { simulate } from '../scale/simulate.ts'
import { measureSlots, measureTurns } from '../scale/slots.ts'
import { measureWaits, nameWaitCase } from '../scale/waits.ts'

// What sessions cost a store, as docs/scale.md needs it: measured, and simulated with what was measured.

const TRIES = 2
const BOTH = [false, true]
const HANDLERS = ['managed', 'native'] as const

const pageCases = (run: Run) =>
  [
    ...BOTH.flatMap((tls) => HANDLERS.map((handler) => ({ tls, handler }))),
    ...run.pick(
      [10, 100].map((kilobytes) => ({ kilobytes, tls: true })),
      [10, 100].flatMap((kilobytes) => BOTH.map((tls) => ({ kilobytes, tls }))),
    ),
    ...run.pick(
      [{ workers: 400, tls: true }],
      [50, 200, 400].flatMap((workers) => BOTH.map((tls) => ({ workers, tls }))),
    ),
    ...[3, 6].flatMap((masters) => [{ masters }, { masters, tls: true }]),
    ...run.pick([3], [3, 6]).map((masters) => ({ masters, handler: 'native' as const })),
    ...run.pick([], [{ masters: 6, workers: 50 }]),
  ].map(pageCase)

const connectionCases = (run: Run): readonly ConnectionCase[] => [
  ...run
    .pick([50], [8, 50, 200, 400])
    .flatMap((count) => BOTH.map((tls) => ({ of: 'workers of php-fpm' as const, count, tls }))),
  ...run
    .pick([1000], [1000, 8000])
    .map((count) => ({ of: 'logged in, without PHP' as const, count, tls: false })),
]

const restartCases = (run: Run) =>
  run.pick([400], [100, 400]).flatMap((workers) => BOTH.map((tls) => ({ workers, tls })))

const waitCases = (run: Run) => [
  ...run.pick([20], [20, 100]).map((waiting) => ({ handler: 'managed' as const, waiting })),
  { handler: 'native' as const, waiting: 20 },
]

const nameKilobytes = (size: number) => `${size} KB`

export const scale: Benchmark = async (run) => {
  const tables: Record<string, Table> = {}
  const sections: Readonly<Record<string, readonly (() => Promise<Table>)[]>> = {
    pages: casesOf(pageCases(run), namePageCase, measurePages, run),
    connections: casesOf(connectionCases(run), nameConnectionCase, measureConnections, run),
    handshakes: casesOf(HANDSHAKES, (name) => name, measureHandshakes, run),
    signatures: [async () => measureSignatures(run)],
    sessions: casesOf([1, 10, 100], nameKilobytes, measureSessions, run),
    waits: casesOf(waitCases(run), nameWaitCase, measureWaits, run),
    restart: casesOf(restartCases(run), nameRestartCase, measureRestart, run),
    slots: casesOf([3, 6], nameMasters, measureSlots, run),
    turns: [async () => ({ '8 workers': await measureTurns(8, 200) })],
    memcached: [() => measureMemcached(run)],
  }
  // The simulation is the last step.
  const step = countSteps(run, Object.values(sections).flat().length + 1)
  const failures: string[] = []
  for (const [name, cases] of Object.entries(sections))
    for (const measure of cases) {
      const rows = await again(TRIES, measure, (why) =>
        failures.push(`${name} failed and was measured again: ${why}`),
      )
      tables[name] = { ...tables[name], ...rows }
      step()
    }
  const simulated: ScaleTables = simulate(tables)
  step()
  return {
    versions: { php: machinePhp().name, store: await storeNames() },
    conditions: [
      'all servers and PHP on the same machine; a page changes its session; what a store takes at rest does not count',
      'the simulated tables follow from the others: the same numbers each time',
      ...failures,
    ],
    tables: { ...tables, ...simulated },
  }
}

function casesOf<Case>(
  cases: readonly Case[],
  nameCase: (one: Case) => string,
  measure: Measure<Case>,
  run: Run,
): readonly (() => Promise<Table>)[] {
  return cases.map((one) => async () => ({ [nameCase(one)]: await measure(one, run) }))
}
