import * as Plot from '@observablehq/plot'
import type { Cell, Results } from '../benchmark.ts'
import { draw, drawNothing } from './drawing.ts'
import { AXIS, colourOf, lines, sourceOf } from './marks.ts'
import { type Figure, figureOf, findResults, findTable } from './results.ts'

const inEnglish = (value: number) => value.toLocaleString('en')

interface Point extends Figure {
  readonly size: number
  readonly contender: string
}

/** A point of a growing plot; none where nothing was measured. */
function pointOf(size: string, contender: string, cell: Cell | undefined): readonly Point[] {
  const figure = figureOf(cell)
  return figure === undefined
    ? []
    : [{ size: Number.parseInt(size.replaceAll(',', ''), 10), contender, ...figure }]
}

const PLACE = { height: 340, marginLeft: 60, marginRight: 40 }

/** The processor time of a page, by the size of the session. */
export function plotSizes(all: readonly Results[]): string {
  const title = 'One Redis, as sessions grow: what a page costs PHP'
  const sizes = Object.keys(findResults(all, 'sizes', '1 KB')?.tables ?? {})
  const points = sizes.flatMap((size) =>
    Object.entries(findTable(all, 'sizes', size)).flatMap(([contender, cells]) =>
      pointOf(size, contender, cells['PHP µs/page']),
    ),
  )
  if (points.length === 0) return drawNothing(title, 'scripts/bench sizes')
  return draw({
    title,
    legend: [...new Set(points.map(({ contender }) => contender))],
    notes: ['Point: median; line: least and greatest.', sourceOf(all, 'sizes', '1 KB')],
    plot: {
      ...PLACE,
      x: {
        ...AXIS,
        label: 'KB in a session, logarithmic →',
        type: 'log',
        ticks: [1, 3, 10, 30, 100],
        tickFormat: String,
      },
      y: { label: '↑ processor time of PHP, µs a page', grid: true, zero: true },
      marks: [...lines(points, 'size', (one) => colourOf(one.contender))],
    },
  })
}

/** The time of a start, by the number of services. */
export function plotServices(all: readonly Results[]): string {
  const title = 'A start with many bound services'
  const ways = { file: 'in one file', directories: 'a directory each' }
  const points = Object.entries(ways).flatMap(([table, contender]) =>
    Object.entries(findTable(all, 'services', table)).flatMap(([bound, cells]) =>
      pointOf(bound, contender, cells.ms),
    ),
  )
  if (points.length === 0) return drawNothing(title, 'scripts/bench services')
  return draw({
    title,
    legend: Object.values(ways),
    notes: [
      'Point: median of the rounds; line: least and greatest; cross: the goal. A directory each: exec, which asks PHP, too.',
      sourceOf(all, 'services', 'file'),
    ],
    plot: {
      ...PLACE,
      x: {
        ...AXIS,
        label: 'services, logarithmic →',
        type: 'log',
        ticks: [1, 10, 100, 1000, 10_000],
        tickFormat: inEnglish,
      },
      y: {
        label: '↑ ms, logarithmic',
        type: 'log',
        grid: true,
        ticks: [10, 100, 1000, 10_000],
        tickFormat: inEnglish,
      },
      marks: [
        ...lines(points, 'size', ({ contender }) => colourOf(contender)),
        Plot.dot([{ x: 10_000, y: 500 }], {
          x: 'x',
          y: 'y',
          symbol: 'times',
          r: 7,
          stroke: 'currentColor',
        }),
      ],
    },
  })
}
