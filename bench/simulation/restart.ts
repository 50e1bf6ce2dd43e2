import { makeEvents } from './events.ts'
import { seeded } from './random.ts'

/** One master that has been restarted, and workers that all have to connect again; times in seconds. */
export interface Restart {
  readonly workers: number
  /** Of all workers together. */
  readonly pagesPerSecond: number
  /** What a page, and a new connection with its login, take of the master's processor. */
  readonly storeSeconds: number
  readonly connectSeconds: number
  /** So many connections may wait to be accepted; one more is dropped. */
  readonly backlog: number
  /** A request that is not connected by then is a 503; the server does its part all the same. */
  readonly limitSeconds: number
}

export interface RestartResult {
  /** Until no page was refused any more; null where that did not happen. */
  readonly recoveredAfter: number | null
  readonly refused: number
  readonly pages: number
}

/** Runs for so many seconds. */
export function simulateRestart(restart: Restart, seconds: number, seed: number): RestartResult {
  const events = makeEvents()
  const random = seeded(seed)
  const isConnected = new Uint8Array(restart.workers)
  let [pages, refused, lastRefused, waiting, freeAt] = [0, 0, 0, 0, 0]

  /** Work for the one processor of the master, first come, first served; how long until it is done. */
  const work = (service: number) => {
    freeAt = Math.max(freeAt, events.now) + service
    return freeAt - events.now
  }
  const refuse = () => {
    refused++
    lastRefused = Math.max(lastRefused, events.now + restart.limitSeconds)
  }
  const arrive = () => {
    pages++
    const worker = random.below(restart.workers)
    if (isConnected[worker] === 1) work(restart.storeSeconds)
    else if (waiting >= restart.backlog) refuse()
    else {
      waiting++
      const wait = work(restart.connectSeconds)
      if (wait > restart.limitSeconds) refuse()
      events.after(wait, () => {
        waiting--
        if (wait > restart.limitSeconds) return
        isConnected[worker] = 1
        work(restart.storeSeconds)
      })
    }
    events.after(random.exponential(1 / restart.pagesPerSecond), arrive)
  }
  arrive()
  events.runUntil(seconds)
  const isOver = lastRefused < seconds
  return { recoveredAfter: isOver ? lastRefused : null, refused, pages }
}
