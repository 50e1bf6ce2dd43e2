import * as Plot from '@observablehq/plot'
import type { Results } from '../benchmark.ts'
import { COLOURS } from './drawing.ts'
import { renderDate } from './markdown.ts'
import { type Figure, findResults, isQuiet, roundsOf } from './results.ts'

/** The label of the x axis has a line of its own. */
export const AXIS = { labelAnchor: 'center', labelOffset: 44 } as const

/** The contenders of the plots, in this order. */
export const CONTENDERS = ['files', "the peers' ini", 'php-redis-session-abstract', 'native', 'managed']

export function colourOf(contender: string): string {
  return COLOURS[contender] ?? 'currentColor'
}

export function mapFigure({ middle, least, greatest }: Figure, map: (value: number) => number): Figure {
  return { middle: map(middle), least: map(least), greatest: map(greatest) }
}

export function roof(points: readonly Figure[]): number {
  return Math.ceil(Math.max(...points.map(({ greatest }) => greatest)) * 2) / 2
}

/** A dot for the middle, and a line from the least to the greatest. */
export function dots<Point extends Figure>(
  points: readonly Point[],
  places: Readonly<Record<string, string | number>>,
  colour: (point: Point) => string,
  isHollow: (point: Point) => boolean = () => false,
): Plot.Markish[] {
  const data = [...points]
  return [
    Plot.link(data, {
      ...places,
      x1: 'least',
      x2: 'greatest',
      stroke: colour,
      strokeWidth: 2,
      strokeOpacity: 0.6,
    }),
    Plot.dot(data, {
      ...places,
      x: 'middle',
      r: 5,
      stroke: colour,
      strokeWidth: 2,
      fill: (point) => (isHollow(point) ? 'none' : colour(point)),
    }),
  ]
}

/** A line for each contender. */
export function lines<Point extends Figure & { readonly contender: string; readonly size: number }>(
  points: readonly Point[],
  x: string,
  colour: (point: Point) => string,
): Plot.Markish[] {
  const data = [...points]
  return [
    Plot.line(data, { x, y: 'middle', z: 'contender', stroke: colour, strokeWidth: 2 }),
    Plot.link(data, { x, y1: 'least', y2: 'greatest', stroke: colour, strokeOpacity: 0.6, strokeWidth: 2 }),
    Plot.dot(data, { x, y: 'middle', r: 4, fill: colour }),
  ]
}

/** When, on what, how often, and what else the machine did. */
export function sourceOf(all: readonly Results[], name: string, table: string): string {
  const results = findResults(all, name, table)
  if (results === undefined) return ''
  const rounds = roundsOf(results.tables[table] ?? {})
  const [share] = (results.load.others ?? []).toSorted((a, b) => b - a)
  return [
    ...(rounds === undefined ? ['rounds as published'] : [`n = ${rounds} rounds`]),
    ...Object.values(results.versions).map((version) => version.split(', php-memcached')[0]),
    renderDate(results.date),
    isQuiet(results)
      ? 'a quiet machine'
      : share === undefined
        ? 'a busy machine'
        : `a busy machine: others used ${Math.round(share * 100)} %`,
  ].join('; ')
}
