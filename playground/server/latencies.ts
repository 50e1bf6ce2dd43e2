/** The upper ends of the classes of a histogram, in milliseconds: each 20 % above the one before. */
const ENDS = Array.from({ length: 60 }, (_, index) => 1.2 ** index)

/** Counts latencies in a fixed number of classes, so that a million requests need no more room than ten. */
export class Latencies {
  readonly #counts = new Uint32Array(ENDS.length)
  #count = 0

  add(milliseconds: number): void {
    const found = ENDS.findIndex((end) => milliseconds <= end)
    const index = found === -1 ? ENDS.length - 1 : found
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
    this.#count++
  }

  /** The end of the class in which this part of all latencies lies; undefined if there are none. */
  percentile(part: number): number | undefined {
    if (this.#count === 0) return undefined
    let left = Math.ceil(this.#count * part)
    const index = this.#counts.findIndex((count) => {
      left -= count
      return left <= 0
    })
    return Math.round(ENDS[index] ?? 0)
  }
}
