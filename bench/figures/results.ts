import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cell, Results, Table } from '../benchmark.ts'
import { QUIET } from '../parts/machine.ts'
import { median } from '../parts/medians.ts'

const FOLDER = join(import.meta.dirname, '../results')

/** Every file in bench/results. */
export function readResults(): readonly Results[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .toSorted()
    .map((file) => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Results)
}

export function isQuiet({ load }: Results): boolean {
  return load.said === 'quiet' || load.others?.every((share) => share < QUIET) === true
}

/** A quiet machine before a busy one; then many rounds before earlier figures, and those before few rounds. */
const ORDER = ['full', 'earlier', 'quick'] as const
const QUIET_ORDER = ['full', 'quick', 'earlier'] as const

function rankOf(results: Results): number {
  return isQuiet(results) ? QUIET_ORDER.indexOf(results.mode) : 10 + ORDER.indexOf(results.mode)
}

/** The best results of a benchmark; undefined if there are none. */
export function findBest(all: readonly Results[], name: string): Results | undefined {
  return all.filter((results) => results.name === name).toSorted((a, b) => rankOf(a) - rankOf(b))[0]
}

/** The best results of a benchmark that have this table; undefined if there are none. */
export function findResults(all: readonly Results[], name: string, table: string): Results | undefined {
  return findBest(
    all.filter(({ tables }) => table in tables),
    name,
  )
}

export function findTable(all: readonly Results[], name: string, table: string): Table {
  return findResults(all, name, table)?.tables[table] ?? {}
}

/** A figure with the least and the greatest of its rounds. */
export interface Figure {
  readonly middle: number
  readonly least: number
  readonly greatest: number
}

export function figureOf(cell: Cell | undefined): Figure | undefined {
  if (cell === undefined || typeof cell === 'string') return undefined
  if ('length' in cell)
    return cell.length === 0
      ? undefined
      : { middle: median(cell), least: Math.min(...cell), greatest: Math.max(...cell) }
  const middle = cell.median ?? Number.NaN
  return { middle, least: cell.least ?? middle, greatest: cell.greatest ?? middle }
}

/** How a row compares with another one: the ratio within each round, or as it was published. */
export function ratioOf(table: Table, name: string, base: string, what: string): Figure | undefined {
  const published = table[name]?.[`${what} of ${base}`]
  if (published !== undefined) return figureOf(published)
  const [own, other] = [table[name]?.[what], table[base]?.[what]]
  if (!Array.isArray(own) || !Array.isArray(other)) return undefined
  return figureOf(own.map((value: number, round) => value / (other[round] as number)))
}

/** The sum over all rounds. */
export function sumOf(cell: Cell | undefined): number | undefined {
  if (cell === undefined || typeof cell === 'string') return undefined
  return 'length' in cell ? cell.reduce((sum, value) => sum + value, 0) : cell.median
}

/** The number of rounds behind a table; undefined where it was not said. */
export function roundsOf(table: Table): number | undefined {
  const cells = Object.values(table).flatMap((row) => Object.values(row))
  const counts = cells.map((cell) => (Array.isArray(cell) ? cell.length : 0))
  const most = Math.max(0, ...counts)
  return most === 0 ? undefined : most
}
