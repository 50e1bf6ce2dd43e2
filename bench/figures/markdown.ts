import type { Results } from '../benchmark.ts'
import { type Figure, isQuiet, roundsOf } from './results.ts'

export function renderNumber(value: number): string {
  if (Number.isNaN(value)) return ''
  if (value >= 1000) return Math.round(value).toLocaleString('en')
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

export function renderMiddle(figure: Figure | undefined): string {
  return figure === undefined ? '' : renderNumber(figure.middle)
}

/** The middle, with the least and the greatest of the rounds. */
export function renderSpread(figure: Figure | undefined): string {
  if (figure === undefined) return ''
  const { middle, least, greatest } = figure
  return least === greatest
    ? renderNumber(middle)
    : `${renderNumber(middle)} (${renderNumber(least)}-${renderNumber(greatest)})`
}

/** The rows of php-sessions stand out. */
export function renderName(name: string): string {
  return /^(managed|php-sessions|exec)/.test(name) ? `**${name}**` : name
}

/** When, how often and on what a table was measured, and what else the machine did. */
export function renderSource(results: Results, table: string): string {
  const { machine, versions, command, date } = results
  const rounds = roundsOf(results.tables[table] ?? {})
  const facts = [
    renderDate(date),
    ...(rounds === undefined ? [] : [rounds === 1 ? '1 round' : `${rounds} rounds`]),
    ...Object.values(versions),
    `${machine.cores} cores`,
    renderLoad(results),
  ]
  const made = command === '' ? '' : `\`${command}\`: `
  return `${made}${facts.join('; ')}. [Raw](${linkOf(results)}).`
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

function linkOf({ name, mode }: Results): string {
  return `../../bench/results/${name}${mode === 'full' ? '' : `.${mode}`}.json`
}
