import type { Sentence } from './sentences.ts'
import type { Mark, StoryEntry } from './snapshot.ts'

const STORY = 60
const MARKS = 20

/** What the page tells, in sentences: the last ones only. */
export class Told {
  #story: readonly (StoryEntry & Sentence)[] = []
  #marks: readonly Mark[] = []
  #number = 0

  get story(): readonly StoryEntry[] {
    return this.#story
  }

  get marks(): readonly Mark[] {
    return this.#marks
  }

  /** The same in a lane, since something was last done to all lanes, is counted: only its last sentence stays. */
  tell(second: number, entry: Sentence & Pick<StoryEntry, 'lane'>): void {
    const since = this.#story.findLastIndex(({ lane }) => lane === undefined) + 1
    const found = this.#story.findIndex(
      (told, at) => at >= since && told.lane === entry.lane && sameOf(told) === sameOf(entry),
    )
    const { number, times } = this.#story[found] ?? { number: this.#number++, times: 0 }
    const told = { ...entry, number, second, times: times + 1 }
    this.#story = found === -1 ? [...this.#story.slice(1 - STORY), told] : this.#story.with(found, told)
  }

  /** Something is done to all lanes: the timeline shows it. */
  mark(second: number, text: string): void {
    this.#marks = [...this.#marks.slice(1 - MARKS), { second, text }]
  }

  forget(): void {
    this.#story = []
    this.#marks = []
  }
}

function sameOf({ same, text }: Sentence): string {
  return same ?? text
}
