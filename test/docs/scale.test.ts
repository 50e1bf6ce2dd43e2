import { describe, expect, test } from 'vitest'
import { type App, MASTER_BYTES, needOf, PLANNED_LOAD, storeSeconds, USUAL } from '../../bench/scale/model.ts'
import { fillPage, tablesOf } from '../../bench/scale/page.ts'
import { pageCost, readResults } from '../../bench/scale/results.ts'
import { simulate } from '../../bench/scale/simulate.ts'
import { readPage } from '../support/docs/pages.ts'

const RESULTS = readResults()

const app = (changes: Partial<App>): App => ({ ...USUAL, instances: 100, ...changes })

test('the tables of docs/scale.md are those of bench/results/scale.json', () => {
  const page = readPage('docs/scale.md')
  expect(page, 'run npx tsx bench/scale-page.ts').toBe(fillPage(page, tablesOf(RESULTS)))
  expect(page).not.toContain('NaN')
})

test('the simulation of small sites gives what bench/results/scale.json has', () => {
  const { sites, restarts } = simulate(RESULTS, [1, 10])
  const kept = RESULTS.simulation
  expect(kept.sites.slice(0, sites.length)).toEqual(sites)
  expect(kept.restarts.slice(0, restarts.length)).toEqual(restarts)
})

describe('the arithmetic', () => {
  test('multiplies', () => {
    const need = needOf(app({}), RESULTS)
    expect(need.pagesPerSecond).toBe(1000)
    // 100 visits a second, each session for 29 minutes.
    expect(need.sessions).toBe(174_000)
    expect(need.connections).toBe(1000)
    expect(need.processors).toBeCloseTo(1000 * storeSeconds(USUAL, RESULTS))
    expect(needOf(app({ instances: 1000 }), RESULTS).processors).toBeCloseTo(10 * need.processors)
  })

  test.each([1, 10, 100, 1000, 10_000])(
    'plans masters for %d instances that are neither busier nor fuller than they may be',
    (instances) => {
      const { masters, processors, sessionBytes } = needOf(app({ instances }), RESULTS)
      expect(processors / masters).toBeLessThanOrEqual(PLANNED_LOAD)
      expect(sessionBytes / masters).toBeLessThanOrEqual(MASTER_BYTES)
      expect(masters === 1 || masters >= 3).toBe(true)
    },
  )

  test('adds masters for memory alone', () => {
    const large = needOf(app({ kilobytes: 100, pagesPerSecond: 1, lifetimeSeconds: 86_400 }), RESULTS)
    expect(large.processors).toBeLessThan(PLANNED_LOAD)
    expect(large.masters).toBe(Math.ceil(large.sessionBytes / MASTER_BYTES))
  })
})

describe('what was measured', () => {
  test('a page costs the store no more where hundreds of workers are connected', () => {
    const [few, many] = [8, 400].map((workers) => pageCost(RESULTS, { workers }).storeMicroseconds)
    expect(many).toBeLessThan(1.3 * (few ?? Number.NaN))
  })

  test('each master of a cluster has a connection of each worker', () => {
    for (const { connections, workers } of RESULTS.clusters)
      for (const count of connections) expect(count).toBe(workers)
  })

  test('masters share the pages', () => {
    for (const { largestShare, masters } of RESULTS.clusters) expect(largestShare).toBeLessThan(1.5 / masters)
  })

  test('the simulated load of each master is what the arithmetic says', () => {
    for (const { instances, bursts, storeLoad } of RESULTS.simulation.sites) {
      const { processors, masters } = needOf(app({ instances }), RESULTS)
      if (!bursts) expect(storeLoad / (processors / masters)).toBeCloseTo(1, 1)
    }
  })
})
