import type { Click, LaneEvent } from '../engine/events.ts'
import type { Lane } from '../engine/lane.ts'
import type { StoreState } from '../stores/store.ts'
import { Latencies } from './latencies.ts'
import type { InstanceView, LaneView, Recent, Second, StoreFault, VisitorView } from './snapshot.ts'

/** How many seconds the plots and the timeline show. */
export const SECONDS = 60
const RECENT = 40
const VISITORS = 6
const FAULTS: readonly StoreFault[] = ['freeze', 'restart', 'failOver', 'rotate']

interface Bucket {
  readonly second: number
  readonly tones: { known: number; stranger: number; refused: number; failed: number }
  lost: number
  waited: number
  readonly latencies: Latencies
}

/** What has been seen of a lane: counts, and the last seconds. */
export class LaneRecord {
  #storeState: StoreState = 'up'
  #lock: string | undefined
  /** By their numbers: the router may try a second instance. */
  readonly #underWay = new Set<number>()
  readonly #instances = new Map<number, { state: InstanceView['state']; requests: number }>()
  readonly #statuses: Record<string, number> = {}
  readonly #visitors = new Map<string, VisitorView['state']>()
  #recent: readonly Recent[] = []
  #buckets: readonly Bucket[] = []
  #number = 0
  readonly #because: string
  readonly #lane: Lane

  constructor(lane: Lane, because: string) {
    this.#lane = lane
    this.#because = because
    for (const index of lane.instances()) this.#instances.set(index, { state: 'up', requests: 0 })
  }

  note(event: LaneEvent, second: number): void {
    switch (event.kind) {
      case 'instance':
        this.#instances.set(event.index, { requests: this.#requestsOf(event.index), state: event.state })
        return
      case 'store':
        this.#storeState = event.state
        return
      case 'routed':
        this.#underWay.add(event.number)
        return
      case 'answered':
        this.#underWay.delete(event.number)
        this.#count(event.instance, event.status)
        return
      case 'lock':
        this.#lock = event.sight?.text
        return
      case 'click':
        this.#noteClick(event.click, second)
        return
      case 'lost':
        this.#bucket(second).lost++
    }
  }

  /** How a visitor was seen last. */
  stateOf(visitor: string): VisitorView['state'] | undefined {
    return this.#visitors.get(visitor)
  }

  view(now: number): LaneView {
    const { id, title, url, isPromised, store } = this.#lane
    const shoppers = [...this.#lane.shoppers.values()]
    const total = (what: 'acknowledged' | 'lost' | 'loggedOut') =>
      shoppers.reduce((sum, { ledger }) => sum + ledger[what], 0)
    const first = now - SECONDS + 1
    const buckets = this.#buckets.filter(({ second }) => second >= first)
    return {
      id,
      title,
      url,
      isPromised,
      because: this.#because,
      store: store === undefined ? undefined : { title: store.title, state: this.#storeState },
      can: FAULTS.filter((fault) => store?.[fault] !== undefined),
      instances: [...this.#instances]
        .map(([index, instance]) => ({ index, ...instance }))
        .sort((a, b) => a.index - b.index),
      underWay: this.#underWay.size,
      visitors: shoppers.slice(0, VISITORS).map((shopper) => ({
        name: shopper.name,
        state: this.#visitors.get(shopper.name) ?? 'stranger',
        updates: shopper.last()?.updates ?? 0,
        books: shopper.last()?.books ?? 0,
      })),
      acknowledged: total('acknowledged'),
      lost: total('lost'),
      loggedOut: total('loggedOut'),
      statuses: this.#statuses,
      recent: this.#recent,
      lock: this.#lock,
      waited: Math.max(0, ...buckets.slice(-10).map(({ waited }) => waited)),
      seconds: Array.from({ length: SECONDS }, (_, at) =>
        viewSecond(buckets.find(({ second }) => second === first + at)),
      ),
    }
  }

  #noteClick(click: Click, second: number): void {
    const { instance, outcome } = click
    this.#visitors.set(click.visitor, outcome)
    if (click.status === 0) this.#count(undefined, 0)
    this.#recent = [...this.#recent.slice(1 - RECENT), { number: this.#number++, instance, outcome }]
    const bucket = this.#bucket(second)
    bucket.tones[outcome]++
    bucket.waited = Math.max(bucket.waited, click.waitedMilliseconds ?? 0)
    bucket.latencies.add(click.milliseconds)
  }

  #count(index: number | undefined, status: number): void {
    const word = status === 0 ? 'no answer' : String(status)
    this.#statuses[word] = (this.#statuses[word] ?? 0) + 1
    const instance = index === undefined ? undefined : this.#instances.get(index)
    if (instance !== undefined) instance.requests++
  }

  #requestsOf(index: number): number {
    return this.#instances.get(index)?.requests ?? 0
  }

  #bucket(second: number): Bucket {
    const last = this.#buckets.at(-1)
    if (last !== undefined && last.second >= second) return last
    const tones = { known: 0, stranger: 0, refused: 0, failed: 0 }
    const bucket: Bucket = { second, tones, lost: 0, waited: 0, latencies: new Latencies() }
    this.#buckets = [...this.#buckets.slice(1 - SECONDS), bucket]
    return bucket
  }
}

const QUIET: Second = {
  known: 0,
  stranger: 0,
  refused: 0,
  failed: 0,
  lost: 0,
  p50: undefined,
  p99: undefined,
}

function viewSecond(bucket: Bucket | undefined): Second {
  if (bucket === undefined) return QUIET
  const { tones, lost, latencies } = bucket
  return { ...tones, lost, p50: latencies.percentile(0.5), p99: latencies.percentile(0.99) }
}
