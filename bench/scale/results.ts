import type { Cell, Outcome, Run } from '../benchmark.ts'
import { figureOf } from '../figures/results.ts'

/** The tables of the benchmark `scale`, and what is simulated with them. */
export type ScaleTables = Outcome['tables']

/** What one measurement gives: a row of its table. */
export type Cells = Readonly<Record<string, Cell>>

/** A measurement of one case; `--quick` makes it shorter. */
export type Measure<Case> = (one: Case, run: Run) => Promise<Cells>

/** The median of the rounds; an error where it was not measured. */
export function measured(tables: ScaleTables, table: string, row: string, what: string): number {
  const figure = figureOf(tables[table]?.[row]?.[what])
  if (figure === undefined) throw new Error(`not measured: ${table}, ${row}, ${what}`)
  return figure.middle
}

/** A page's store, workers and session: the rows of the table `pages`. */
export interface PageCase {
  readonly handler: 'managed' | 'native'
  readonly tls: boolean
  readonly masters: number
  readonly workers: number
  readonly kilobytes: number
}

export const nameMasters = (masters: number) => (masters === 1 ? 'one server' : `${masters} masters`)

export const nameTls = (isTls: boolean) => (isTls ? ', TLS' : '')

export function namePageCase({ handler, tls, masters, workers, kilobytes }: PageCase): string {
  return `${handler}${nameTls(tls)}, ${nameMasters(masters)}, ${workers} workers, ${kilobytes} KB`
}

/** Another one than managed, plain, on one server, with 8 workers and 1 KB. */
export function pageCase(changes: Partial<PageCase>): PageCase {
  return { handler: 'managed', tls: false, masters: 1, workers: 8, kilobytes: 1, ...changes }
}
