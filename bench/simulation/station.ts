import type { Events } from './events.ts'

/** A queue before servers that are alike: the processor of a store, the workers of an instance. First come, first served. */
export interface Station {
  /** Waits for a server and keeps it until `done` is called. */
  enter(begin: (done: () => void, waited: number) => void): void
  /** Waits for a server and keeps it for so many seconds. */
  serve(seconds: number, then: (waited: number) => void): void
  /** The part of its servers that was busy, until now. */
  utilisation(): number
  readonly busy: number
  readonly waiting: number
}

interface Waiting {
  readonly since: number
  readonly begin: (done: () => void, waited: number) => void
}

export function makeStation(events: Events, servers: number): Station {
  // A list whose first part is used up: an array that shifts would be slow with 100,000 who wait.
  let [queue, head]: [Waiting[], number] = [[], 0]
  let [busy, busySeconds, changedAt] = [0, 0, 0]

  const count = (change: number) => {
    busySeconds += busy * (events.now - changedAt)
    changedAt = events.now
    busy += change
  }
  const begin = (one: Waiting) => {
    count(1)
    one.begin(() => {
      count(-1)
      const next = queue[head]
      if (next === undefined) return
      if (++head > 1000 && head * 2 > queue.length) [queue, head] = [queue.slice(head), 0]
      begin(next)
    }, events.now - one.since)
  }
  const enter: Station['enter'] = (run) => {
    const one = { since: events.now, begin: run }
    if (busy < servers) begin(one)
    else queue.push(one)
  }
  return {
    enter,
    serve: (seconds, then) =>
      enter((done, waited) =>
        events.after(seconds, () => {
          done()
          then(waited)
        }),
      ),
    utilisation: () => (busySeconds + busy * (events.now - changedAt)) / servers / events.now,
    get busy() {
      return busy
    },
    get waiting() {
      return queue.length - head
    },
  }
}
