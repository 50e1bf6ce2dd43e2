import { machinePhp } from '../../lab/php/installed.ts'
import { type Benchmark, countSteps, type Table } from '../benchmark.ts'
import { cpuMilliseconds } from '../parts/cpu.ts'
import { type BenchFpm, FEW } from '../parts/fpm.ts'
import { measureSpeed, newVisitors } from '../parts/load.ts'
import { byMeasure, inTurn } from '../parts/medians.ts'
import { oneServer } from '../parts/setups.ts'
import { startContender } from './handlers.ts'

// What a page costs with sessions of 1 to 100 KB.

const KILOBYTES = [1, 3, 10, 30, 100]
const CONTENDERS = ['files', "the peers' ini", 'native', 'managed']
const VISITORS = 50
const PAGES = Object.fromEntries(
  KILOBYTES.map((size) => [
    `of${size}`,
    `session_start(); $_SESSION['pad'] ??= str_repeat('0123456789abcdef', ${(size * 1000) / 16}); echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;`,
  ]),
)

export const sizes: Benchmark = async (run) => {
  const php = machinePhp()
  const setup = await oneServer(0)
  const fpms: Record<string, BenchFpm> = {}
  const rounds = run.pick(3, 9)
  const pages = run.pick(200, 600)
  const step = countSteps(run, rounds * CONTENDERS.length * KILOBYTES.length)
  try {
    for (const name of CONTENDERS) fpms[name] = await startContender(php, setup, name, PAGES)
    const tables: Record<string, Table> = {}
    for (const size of KILOBYTES) {
      const page = `of${size}`
      const visitors: Record<string, string[]> = {}
      for (const [name, { few }] of Object.entries(fpms))
        visitors[name] = await newVisitors(few(page), VISITORS)
      const runs = await inTurn(rounds, CONTENDERS, async (name) => {
        const { few, pid } = fpms[name] as BenchFpm
        const before = cpuMilliseconds(pid)
        const speed = await measureSpeed(few(page), visitors[name] ?? [], pages, FEW)
        step()
        return { ...speed, 'PHP µs/page': ((cpuMilliseconds(pid) - before) * 1000) / pages }
      })
      tables[`${size} KB`] = Object.fromEntries(
        Object.entries(runs).map(([name, own]) => [name, byMeasure(own)]),
      )
    }
    return {
      versions: { php: php.name, store: setup.store },
      conditions: [
        ...setup.conditions,
        `${rounds} rounds of ${pages} pages for ${VISITORS} visitors, ${FEW} at a time; each page changes the session`,
      ],
      tables,
    }
  } finally {
    await Promise.all(Object.values(fpms).map((fpm) => fpm.stop()))
    await setup.stop()
  }
}
