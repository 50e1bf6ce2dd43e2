/** What happens when, in seconds; the earliest first, and at one moment in the order in which it was planned. */
export interface Events {
  readonly now: number
  after(seconds: number, run: () => void): void
  /** Runs what is planned until this moment, and what that plans. */
  runUntil(end: number): void
}

interface Planned {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

const isEarlier = (one: Planned, other: Planned) =>
  one.at < other.at || (one.at === other.at && one.order < other.order)

/** A binary heap. */
export function makeEvents(): Events {
  const heap: Planned[] = []
  let [now, order] = [0, 0]

  const swap = (i: number, j: number) => {
    const one = heap[i] as Planned
    heap[i] = heap[j] as Planned
    heap[j] = one
  }
  const isBefore = (i: number, j: number) => isEarlier(heap[i] as Planned, heap[j] as Planned)
  const rise = (i: number) => {
    for (let parent = (i - 1) >> 1; i > 0 && isBefore(i, parent); parent = (i - 1) >> 1) {
      swap(i, parent)
      i = parent
    }
  }
  const sink = (i: number) => {
    for (;;) {
      let least = i
      for (const child of [2 * i + 1, 2 * i + 2])
        if (child < heap.length && isBefore(child, least)) least = child
      if (least === i) return
      swap(i, least)
      i = least
    }
  }

  return {
    get now() {
      return now
    },
    after: (seconds, run) => {
      heap.push({ at: now + seconds, order: order++, run })
      rise(heap.length - 1)
    },
    runUntil: (end) => {
      for (let first = heap[0]; first !== undefined && first.at <= end; first = heap[0]) {
        const last = heap.pop() as Planned
        if (heap.length > 0) {
          heap[0] = last
          sink(0)
        }
        now = first.at
        first.run()
      }
      now = end
    },
  }
}
