import type { Mark, StoryEntry } from './snapshot.ts'

const STORY = 60
const MARKS = 20
/** Among so many the same sentence is looked for. */
const SAME = 4

/** What the page tells, in sentences: the last ones only. */
export class Told {
  #story: readonly StoryEntry[] = []
  #marks: readonly Mark[] = []
  #number = 0

  get story(): readonly StoryEntry[] {
    return this.#story
  }

  get marks(): readonly Mark[] {
    return this.#marks
  }

  /** The same sentence again is counted. */
  tell(second: number, entry: Omit<StoryEntry, 'number' | 'second' | 'times'>): void {
    const same = this.#story.slice(-SAME).find(({ lane, text }) => lane === entry.lane && text === entry.text)
    if (same === undefined) {
      const added = { ...entry, number: this.#number++, second, times: 1 }
      this.#story = [...this.#story.slice(1 - STORY), added]
    } else {
      this.#story = this.#story.map((told) =>
        told === same ? { ...same, second, times: same.times + 1 } : told,
      )
    }
  }

  /** Something is done to all lanes: it is told, and shown on the timeline. */
  mark(second: number, text: string): void {
    this.#marks = [...this.#marks.slice(1 - MARKS), { second, text }]
    this.tell(second, { lane: undefined, tone: 'plain', text: `${text}.`, page: undefined })
  }

  forget(): void {
    this.#story = []
    this.#marks = []
  }
}
