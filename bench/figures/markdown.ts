import type { Results } from '../benchmark.ts'
import { renderNumber } from './notation.ts'
import { type Figure, isQuiet, roundsOf } from './results.ts'

export function renderMiddle(figure: Figure | undefined): string {
  return figure === undefined ? '' : renderNumber(figure.middle)
}

/** The middle, with the least and the greatest of the rounds. */
export function renderSpread(figure: Figure | undefined): string {
  if (figure === undefined) return ''
  const { middle, least, greatest } = figure
  // Of some earlier figures the rounds' middle is gone.
  if (Number.isNaN(middle)) return `${renderNumber(least)}-${renderNumber(greatest)}`
  return least === greatest
    ? renderNumber(middle)
    : `${renderNumber(middle)} (${renderNumber(least)}-${renderNumber(greatest)})`
}

/** The rows of php-sessions stand out. */
export function renderName(name: string): string {
  return /^(managed|php-sessions|exec)/.test(name) ? `**${name}**` : name
}

/** When, how often and on what a table was measured, and what else the machine did; `root` leads to the project's. */
export function renderSource(results: Results, table: string, root = '../..'): string {
  const { machine, versions, command, date, history } = results
  const rounds = roundsOf(results.tables[table] ?? {})
  const facts = [
    renderDate(date),
    ...(rounds === undefined ? [] : [rounds === 1 ? '1 round' : `${rounds} rounds`]),
    ...Object.values(versions),
    `${machine.cores} cores`,
    renderLoad(results),
  ]
  const made = command === '' ? '' : `\`${command}\`: `
  const past = history === undefined ? '' : `**History**, no benchmark repeats it: ${history}. `
  return `${past}${made}${facts.join('; ')}. [Raw](${root}/bench/results/${fileOf(results)}).`
}

export function renderDate(date: string): string {
  const options = { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' } as const
  return new Date(date).toLocaleDateString('en-GB', options)
}

/** What else the machine did, in words. */
export function renderLoad(results: Results): string {
  const { others = [], said } = results.load
  if (others.length === 0) return `a ${said ?? 'busy'} machine`
  const share = Math.round(100 * Math.max(...others))
  return isQuiet(results) ? 'a quiet machine' : `**a busy machine**: others used ${share} % of it`
}

function fileOf({ name, mode }: Results): string {
  return `${name}${mode === 'full' ? '' : `.${mode}`}.json`
}
