import { describe, expect, test } from 'vitest'
import {
  mastersReached,
  partThatWaits,
  waitMD1,
  waitMM1,
  waitMMc,
  workersFor,
} from '../../bench/simulation/closed-forms.ts'
import { makeEvents } from '../../bench/simulation/events.ts'
import { seeded } from '../../bench/simulation/random.ts'
import { simulateRestart } from '../../bench/simulation/restart.ts'
import { percentile, type Site, simulateSite } from '../../bench/simulation/site.ts'
import { makeStation } from '../../bench/simulation/station.ts'

const SEED = 20

interface Queue {
  readonly mean: number
  readonly partThatWaited: number
  readonly utilisation: number
}

/** Customers at one station: how long they wait, on average. */
function simulateQueue(servers: number, arrivals: number, service: () => number, customers: number): Queue {
  const events = makeEvents()
  const random = seeded(SEED)
  const station = makeStation(events, servers)
  let [count, waitedSeconds, waited] = [0, 0, 0]
  const arrive = () => {
    station.serve(service(), (seconds) => {
      count++
      waitedSeconds += seconds
      if (seconds > 0) waited++
    })
    events.after(random.exponential(1 / arrivals), arrive)
  }
  arrive()
  events.runUntil(customers / arrivals)
  return { mean: waitedSeconds / count, partThatWaited: waited / count, utilisation: station.utilisation() }
}

function expectNear(value: number, expected: number, part = 0.08): void {
  expect(value).toBeGreaterThan(expected * (1 - part))
  expect(value).toBeLessThan(expected * (1 + part))
}

test('events happen in the order of time, and of planning at one moment', () => {
  const events = makeEvents()
  const seen: string[] = []
  for (const [name, at] of [
    ['c', 3],
    ['a', 1],
    ['b', 2],
    ['b2', 2],
    ['late', 9],
  ] as const)
    events.after(at, () => seen.push(`${name} ${events.now}`))
  events.after(2, () => events.after(0, () => seen.push('planned by b')))
  events.runUntil(5)
  expect(seen).toEqual(['a 1', 'b 2', 'b2 2', 'planned by b', 'c 3'])
  expect(events.now).toBe(5)
})

test('random numbers are the same for the same seed, and spread evenly', () => {
  const [one, other] = [seeded(1), seeded(1)]
  const numbers = Array.from({ length: 100_000 }, one.next)
  expect(numbers.slice(0, 5)).toEqual(Array.from({ length: 5 }, other.next))
  expectNear(numbers.reduce((sum, number) => sum + number, 0) / numbers.length, 0.5, 0.01)
  const random = seeded(2)
  const times = Array.from({ length: 100_000 }, () => random.exponential(3))
  expectNear(times.reduce((sum, time) => sum + time, 0) / times.length, 3, 0.02)
  expectNear(percentile(times, 0.5), 3 * Math.LN2, 0.02)
})

describe('the simulation agrees with the closed forms', () => {
  const exponential = (mean: number) => {
    const random = seeded(SEED + 1)
    return () => random.exponential(mean)
  }

  test.each([0.2, 0.5, 0.8])('M/M/1 with a load of %d', (load) => {
    const { mean, utilisation } = simulateQueue(1, load, exponential(1), 120_000)
    expectNear(mean, waitMM1(load, 1))
    expectNear(utilisation, load, 0.02)
  })

  test.each([0.2, 0.5, 0.8])('M/D/1 with a load of %d', (load) => {
    expectNear(simulateQueue(1, load, () => 1, 120_000).mean, waitMD1(load, 1))
  })

  test.each([
    [2, 1.2],
    [5, 2.5],
    [10, 8],
  ])('M/M/c with %d servers and a load of %d', (servers, load) => {
    const { mean, partThatWaited } = simulateQueue(servers, load, exponential(1), 120_000)
    expectNear(mean, waitMMc(servers, load, 1))
    expectNear(partThatWaited, partThatWaits(servers, load))
  })
})

test('the closed forms are those of the books', () => {
  expect(waitMM1(0.5, 1)).toBe(1)
  expect(waitMD1(0.5, 1)).toBe(0.5)
  expect(partThatWaits(1, 0.5)).toBeCloseTo(0.5)
  // With two servers Erlang C is load^2 / (2 + load).
  expect(partThatWaits(2, 1)).toBeCloseTo(1 / 3)
  expect(waitMMc(1, 0.5, 1)).toBeCloseTo(waitMM1(0.5, 1))
  expect(partThatWaits(3, 3)).toBe(1)
  expect(workersFor(1, 0.01)).toBe(5)
  expect(mastersReached(3, 1)).toBeCloseTo(1)
  expect(mastersReached(3, 2)).toBeCloseTo(5 / 3)
  expect(mastersReached(6, 100)).toBeCloseTo(6)
})

describe('a site', () => {
  const SITE: Site = {
    instances: 20,
    workers: 10,
    masters: 2,
    pagesPerSecond: 100,
    pageSeconds: 0.02,
    roundTripSeconds: 0.0005,
    storeSeconds: 0.0002,
    waitSeconds: 0.0002,
  }

  test('loads its store and its workers as arithmetic says', () => {
    const result = simulateSite(SITE, 8, SEED)
    expectNear(result.pages, 20 * 100 * 7.2, 0.02)
    expectNear(result.storeLoad, 0.2, 0.03)
    // Little's law: pages a second times what each of them takes.
    expectNear(result.busyWorkers, 20 * 100 * (0.02 + 2 * 0.0005 + 0.0002), 0.1)
    expectNear(result.sessionP50, 2 * 0.0005 + 0.0002, 0.05)
    expect(result.sessionP99).toBeLessThan(0.002)
    expect(result.lockP99).toBe(0)
  })

  test('is the same for the same seed', () => {
    expect(simulateSite(SITE, 2, 1)).toEqual(simulateSite(SITE, 2, 1))
    expect(simulateSite(SITE, 2, 1)).not.toEqual(simulateSite(SITE, 2, 2))
  })

  test('lets the requests of one visitor wait for each other, which holds workers and hardly costs the store', () => {
    const without = simulateSite(SITE, 8, SEED)
    const bursts = simulateSite({ ...SITE, bursts: { part: 0.3, size: 6 } }, 8, SEED)
    expectNear(bursts.pages, without.pages, 0.05)
    // The second waits for one page, the sixth for five: 2.5 pages in the middle, which a page of a burst does.
    expect(bursts.lockP50).toBeGreaterThan(0.02)
    expect(bursts.lockP99).toBeGreaterThan(3 * bursts.lockP50)
    expect(bursts.busyWorkers).toBeGreaterThan(1.4 * without.busyWorkers)
    expect(bursts.storeLoad).toBeLessThan(1.2 * without.storeLoad)
  })
})

describe('a restart', () => {
  const RESTART = {
    workers: 4000,
    pagesPerSecond: 1000,
    storeSeconds: 0.0001,
    connectSeconds: 0.0005,
    backlog: 511,
    limitSeconds: 2,
  }

  test('is not noticed where pages come more slowly than the server can accept connections', () => {
    expect(simulateRestart(RESTART, 30, SEED)).toMatchObject({ refused: 0, recoveredAfter: 0 })
  })

  test('lasts until all workers are connected where pages come faster', () => {
    const result = simulateRestart({ ...RESTART, pagesPerSecond: 8000 }, 30, SEED)
    expect(result.refused).toBeGreaterThan(1000)
    // The connections alone take 2 seconds of the processor.
    expect(result.recoveredAfter).toBeGreaterThan(2)
    expect(result.recoveredAfter).toBeLessThan(20)
  })

  test('never ends where more connections may wait than can be accepted in time', () => {
    const endless = { ...RESTART, workers: 100_000, pagesPerSecond: 8000, backlog: 65_535 }
    expect(simulateRestart(endless, 20, SEED).recoveredAfter).toBeNull()
  })
})
