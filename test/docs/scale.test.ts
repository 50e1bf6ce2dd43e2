import { describe, expect, test } from 'vitest'
import { figureOf, findResults, readResults, sumOf } from '../../bench/figures/results.ts'
import { SCALE_BLOCKS } from '../../bench/figures/scale-blocks.ts'
import {
  type App,
  lastRow,
  limitsOf,
  MASTER_BYTES,
  needOf,
  PLANNED_LOAD,
  storeSeconds,
  USUAL,
} from '../../bench/scale/model.ts'
import { measured } from '../../bench/scale/results.ts'
import { nameSite, SIZES, simulate } from '../../bench/scale/simulate.ts'
import { readPage } from '../support/docs/pages.ts'

const TABLES = findResults(readResults(), 'scale', 'pages')?.tables ?? {}

const app = (changes: Partial<App>): App => ({ ...USUAL, instances: 100, ...changes })

test('docs/scale.md shows all that was measured for it', () => {
  const shown = [...readPage('docs/scale.md').matchAll(/<!-- figures: scale (\S+) -->/g)].map(
    ([, name]) => name,
  )
  expect(shown.toSorted()).toEqual(Object.keys(SCALE_BLOCKS).toSorted())
})

test('the simulation of small sites gives what bench/results has', () => {
  for (const [name, table] of Object.entries(simulate(TABLES, [1, 10])))
    expect(TABLES[name]).toMatchObject(table)
})

describe('the arithmetic', () => {
  test('multiplies', () => {
    const need = needOf(app({}), TABLES)
    expect(need.pagesPerSecond).toBe(1000)
    // 100 visits a second, each session for 29 minutes.
    expect(need.sessions).toBe(174_000)
    expect(need.connections).toBe(1000)
    expect(need.processors).toBeCloseTo(1000 * storeSeconds(USUAL, TABLES))
    expect(needOf(app({ instances: 1000 }), TABLES).processors).toBeCloseTo(10 * need.processors)
  })

  test.each([1, 10, 100, 1000, 10_000])(
    'plans masters for %d instances that are neither busier nor fuller than they may be',
    (instances) => {
      const { masters, processors, sessionBytes } = needOf(app({ instances }), TABLES)
      expect(processors / masters).toBeLessThanOrEqual(PLANNED_LOAD)
      expect(sessionBytes / masters).toBeLessThanOrEqual(MASTER_BYTES)
      expect(masters === 1 || masters >= 3).toBe(true)
    },
  )

  test('one server is enough up to its limits, and not beyond', () => {
    const { pagesPerSecond, sessions } = limitsOf(USUAL, TABLES)
    const light = { pagesPerVisit: 100, lifetimeSeconds: 60 }
    expect(needOf(app({ ...light, pagesPerSecond: (pagesPerSecond * 0.99) / 100 }), TABLES).masters).toBe(1)
    expect(needOf(app({ ...light, pagesPerSecond: (pagesPerSecond * 1.01) / 100 }), TABLES).masters).toBe(3)
    const long = (share: number) => app({ pagesPerSecond: 1, lifetimeSeconds: (sessions * share) / 10 - 300 })
    expect(needOf(long(0.99), TABLES).masters).toBe(1)
    expect(needOf(long(1.01), TABLES).masters).toBe(3)
  })

  test('adds masters for memory alone', () => {
    const large = needOf(app({ kilobytes: 100, pagesPerSecond: 1, lifetimeSeconds: 864_000 }), TABLES)
    expect(large.processors).toBeLessThan(PLANNED_LOAD)
    expect(large.masters).toBe(Math.ceil(large.sessionBytes / MASTER_BYTES))
  })
})

describe('what was measured', () => {
  const pages = Object.entries(TABLES.pages ?? {})
  const clusters = pages.filter(([name]) => /\d masters/.test(name))
  const numberIn = (name: string, pattern: RegExp) => Number(pattern.exec(name)?.[1])

  test('a page does not cost the store twice as much where many workers are connected', () => {
    const isLike = (name: string) => /^managed, TLS, one server, \d+ workers, 1 KB$/.test(name)
    const names = pages.map(([name]) => name).filter(isLike)
    const [few = '', many = ''] = [names[0], lastRow(TABLES, 'pages', isLike)]
    expect(many).not.toBe(few)
    const costOf = (name: string) => measured(TABLES, 'pages', name, 'store µs/page')
    expect(costOf(many)).toBeLessThan(2 * costOf(few))
  })

  test('each master of a cluster has a connection of each worker', () => {
    expect(clusters.length).toBeGreaterThan(0)
    for (const [name, cells] of clusters)
      for (const count of String(cells['connections of each master']).split(', '))
        expect(Number(count)).toBe(numberIn(name, /(\d+) workers/))
  })

  test('masters share the pages', () => {
    for (const [name, cells] of clusters)
      expect(sumOf(cells['share of the busiest master'])).toBeLessThan(1.5 / numberIn(name, /(\d+) masters/))
  })

  test('the simulated load of each master is what the arithmetic says', () => {
    for (const instances of SIZES) {
      const { processors, masters } = needOf(app({ instances }), TABLES)
      const load = figureOf(TABLES['simulated sites']?.[nameSite(instances, false)]?.['load of a master'])
      expect((load?.middle ?? Number.NaN) / (processors / masters)).toBeCloseTo(1, 1)
    }
  })
})
