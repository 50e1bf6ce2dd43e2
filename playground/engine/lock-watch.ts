import { setTimeout as sleep } from 'node:timers/promises'
import type { HeldLocks } from '../../src/sessions/locks-text.ts'
import type { LaneEvent } from './events.ts'
import { type LockSight, sightOf } from './lock-sight.ts'

const TICK_MILLISECONDS = 200
/** A page that has taken as long may wait for a session. */
const SLOW_MILLISECONDS = 400
/** Between two looks, as a multiple of the time that one takes, so that the looks do not slow down what they look at. */
const REST = 2

/** Looks at who has the session that others wait for, by `php-sessions locks`, while a page is under way for a while. */
export class LockWatch {
  readonly #look: () => Promise<string | undefined>
  readonly #tell: (event: LaneEvent) => void
  /** When requests have begun, by their numbers. */
  readonly #underWay = new Map<number, number>()
  #seen: LockSight | undefined
  #isRunning = false
  #isOver = false

  constructor(look: () => Promise<string | undefined>, tell: (event: LaneEvent) => void) {
    this.#look = look
    this.#tell = tell
  }

  note(number: number, isAnswered: boolean): void {
    if (isAnswered) this.#underWay.delete(number)
    else if (!this.#underWay.has(number)) this.#underWay.set(number, performance.now())
    if (!this.#isRunning && !this.#isOver) void this.#watch()
  }

  stop(): void {
    this.#isOver = true
  }

  /** Until nothing is under way. */
  async #watch(): Promise<void> {
    this.#isRunning = true
    while (!this.#isOver && this.#underWay.size > 0) {
      await sleep(TICK_MILLISECONDS, undefined, { ref: false })
      if (this.#isSlow()) await this.#lookOnce()
    }
    this.#see(undefined)
    this.#isRunning = false
  }

  #isSlow(): boolean {
    const [oldest = Number.POSITIVE_INFINITY] = this.#underWay.values()
    return performance.now() - oldest > SLOW_MILLISECONDS
  }

  async #lookOnce(): Promise<void> {
    const began = performance.now()
    const said = await this.#look()
    const held = said === undefined ? undefined : readLocks(said)
    if (!this.#isOver) this.#see(held === undefined ? undefined : sightOf(held, this.#underWay.size))
    await sleep((performance.now() - began) * REST, undefined, { ref: false })
  }

  #see(sight: LockSight | undefined): void {
    if (sight?.text === this.#seen?.text) return
    this.#seen = sight
    this.#tell({ kind: 'lock', ...(sight === undefined ? {} : { sight }) })
  }
}

/** Undefined where locks cannot be listed; the command says why. */
function readLocks(said: string): HeldLocks | undefined {
  try {
    const held: HeldLocks = JSON.parse(said)
    return Array.isArray(held.longest) ? held : undefined
  } catch {
    return undefined
  }
}
