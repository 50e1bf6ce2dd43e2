import { makeEvents } from './events.ts'
import { type Random, seeded } from './random.ts'
import { makeStation, type Station } from './station.ts'

/** Instances of an app before the masters of a store; times in seconds. */
export interface Site {
  readonly instances: number
  /** Of each instance. */
  readonly workers: number
  readonly masters: number
  /** Pages with a session, of each instance and each second. */
  readonly pagesPerSecond: number
  /** What a page takes beside its session; the mean. */
  readonly pageSeconds: number
  readonly roundTripSeconds: number
  /** What a page takes of the store's processor: half of it for TAKE, half for RELEASE. */
  readonly storeSeconds: number
  /** What a request that waits for its session takes of it each second. */
  readonly waitSeconds: number
  /** Of the pages, this part comes as so many at once of one visitor; they wait for each other. */
  readonly bursts?: { readonly part: number; readonly size: number }
}

export interface SiteResult {
  readonly pages: number
  /** Of the masters' processors: the mean, and that of the busiest. */
  readonly storeLoad: number
  readonly busiestLoad: number
  readonly busyWorkers: number
  /** Of the pages, the part that waited for a worker. */
  readonly waitedForWorker: number
  /** What the session adds to a page that waits for no other: the median, and one of a hundred. */
  readonly sessionP50: number
  readonly sessionP99: number
  /** What a page of a burst waits for its session. */
  readonly lockP50: number
  readonly lockP99: number
}

/** A session that several requests of one visitor want: who has it, and who waits. */
interface Lock {
  isHeld: boolean
  readonly waiting: (() => void)[]
}

/** Runs a site for so many seconds, of which the first tenth does not count. */
export function simulateSite(site: Site, seconds: number, seed: number): SiteResult {
  const { instances, workers, masters, pageSeconds, roundTripSeconds, storeSeconds, waitSeconds } = site
  const { part, size } = site.bursts ?? { part: 0, size: 1 }
  const events = makeEvents()
  const random = seeded(seed)
  const stores = Array.from({ length: masters }, () => makeStation(events, 1))
  const homes = Array.from({ length: instances }, () => makeStation(events, workers))
  const [added, locked]: [number[], number[]] = [[], []]
  let [pages, waitedForWorker, busyWorkers, looks] = [0, 0, 0, 0]
  const counts = () => events.now > seconds / 10

  /** A round trip with this service at the store. */
  const exchange = (store: Station, service: number, then: () => void) =>
    events.after(roundTripSeconds / 2, () =>
      store.serve(service, () => events.after(roundTripSeconds / 2, then)),
    )

  const page = (store: Station, lock: Lock) => {
    home(homes, random).enter((free, waited) => {
      if (counts()) {
        pages++
        if (waited > 0) waitedForWorker++
      }
      const start = events.now
      let work = 0
      const run = () => {
        work = random.exponential(pageSeconds)
        events.after(work, () =>
          exchange(store, storeSeconds / 2, () => {
            free()
            const next = lock.waiting.shift()
            if (next === undefined) lock.isHeld = false
            else next()
          }),
        )
      }
      exchange(store, storeSeconds / 2, () => {
        if (!lock.isHeld) {
          lock.isHeld = true
          if (counts() && part === 0) added.push(events.now - start + roundTripSeconds + storeSeconds / 2)
          run()
          return
        }
        const since = events.now
        let isWaiting = true
        const ask = () => {
          if (!isWaiting) return
          store.serve(waitSeconds, () => {})
          events.after(1, ask)
        }
        events.after(1, ask)
        lock.waiting.push(() => {
          isWaiting = false
          exchange(store, storeSeconds / 2, () => {
            if (counts()) locked.push(events.now - since)
            run()
          })
        })
      })
    })
  }

  const between = 1 / (instances * site.pagesPerSecond * (1 - part + part / size))
  const arrive = () => {
    const isBurst = random.next() < part / size / (1 - part + part / size)
    const store = home(stores, random)
    const lock: Lock = { isHeld: false, waiting: [] }
    for (let i = isBurst ? size : 1; i > 0; i--) page(store, lock)
    events.after(random.exponential(between), arrive)
  }
  const look = () => {
    busyWorkers += homes.reduce((sum, { busy }) => sum + busy, 0)
    looks++
    events.after(seconds / 20, look)
  }
  arrive()
  events.after(seconds / 10, look)
  events.runUntil(seconds)

  const loads = stores.map((store) => store.utilisation())
  return {
    pages,
    storeLoad: loads.reduce((sum, load) => sum + load, 0) / masters,
    busiestLoad: Math.max(...loads),
    busyWorkers: busyWorkers / looks,
    waitedForWorker: waitedForWorker / pages,
    sessionP50: percentile(added, 0.5),
    sessionP99: percentile(added, 0.99),
    lockP50: percentile(locked, 0.5),
    lockP99: percentile(locked, 0.99),
  }
}

function home(stations: readonly Station[], random: Random): Station {
  return stations[random.below(stations.length)] as Station
}

export function percentile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * part) - 1] ?? 0
}
