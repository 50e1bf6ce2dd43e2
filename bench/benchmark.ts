/** Figures that were published without the rounds behind them; only what was said is there. */
export interface Published {
  readonly median?: number
  readonly least?: number
  readonly greatest?: number
}

/** One figure for each round; a figure of earlier, without its rounds; or words, such as what a visitor saw. */
export type Cell = readonly number[] | Published | string

/** Rows by name, with cells by what was measured and its unit, such as `p99 ms`. */
export type Table = Readonly<Record<string, Readonly<Record<string, Cell>>>>

/** What a benchmark finds out. */
export interface Outcome {
  /** Of the programs that were measured. */
  readonly versions: Readonly<Record<string, string>>
  /** What a reader has to know in order to judge the figures. */
  readonly conditions: readonly string[]
  readonly tables: Readonly<Record<string, Table>>
}

/** `earlier` are figures from before these files, as they were published. */
export type Mode = 'full' | 'quick' | 'earlier'

/** The file of one benchmark in bench/results. */
export interface Results extends Outcome {
  readonly name: string
  readonly command: string
  readonly mode: Mode
  /** ISO 8601, in UTC; of earlier figures the day. */
  readonly date: string
  readonly machine: Machine
  readonly load: Load
  /** Of earlier figures that no benchmark repeats: what they are of. */
  readonly history?: string
  /** How long it took. */
  readonly seconds?: number
}

export interface Machine {
  readonly cores: number
  readonly processor?: string
  readonly memoryGigabytes?: number
  readonly system?: string
  /** The Node that made the load. */
  readonly node?: string
}

/** What else the machine did. */
export interface Load {
  /** The load average of a minute when the benchmark began; the benchmark before it is in it. */
  readonly average?: number
  /** The share of the processors that others used, in two seconds before it and in two seconds after it. */
  readonly others?: readonly number[]
  /** What is known of earlier figures. */
  readonly said?: 'quiet' | 'busy'
}

/** What a benchmark is given. */
export interface Run {
  /** `--quick`: fewer rounds, and each of them shorter. */
  readonly isQuick: boolean
  /** The first where it has to be quick, otherwise the second. */
  pick<Value>(quick: Value, full: Value): Value
  /** Called whenever a further one of so many steps is done. */
  progress(done: number, of: number): void
}

export type Benchmark = (run: Run) => Promise<Outcome>

/** A benchmark that cannot run here, for a reason that is not an error. */
export class NotHere extends Error {}

/** Counts steps. */
export function countSteps({ progress }: Run, of: number): () => void {
  let done = 0
  return () => progress(++done, of)
}

/** Rows that were measured side by side, in the order of their names. */
export function sortRows(table: Table): Table {
  return Object.fromEntries(Object.entries(table).toSorted(([a], [b]) => a.localeCompare(b)))
}
