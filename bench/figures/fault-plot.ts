import type { Results } from '../benchmark.ts'
import { draw, drawNothing } from './drawing.ts'
import { AXIS, colourOf, dots, mapFigure, sourceOf } from './marks.ts'
import { figureOf, findBest } from './results.ts'

/** How long a visitor waits while the store fails. */
export function plotFaults(all: readonly Results[]): string {
  const title = 'How long a visitor waits while Redis fails, and whether the session is lost'
  const { tables = {} } = findBest(all, 'faults') ?? {}
  const faults = Object.keys(tables)
  const points = Object.entries(tables).flatMap(([fault, table]) =>
    Object.entries(table).flatMap(([column, cells]) => {
      const figure = figureOf(cells.seconds)
      const contender = column.startsWith('managed') ? 'managed' : 'native'
      // With the PHP of the machine, so that each fault has two marks.
      if (figure === undefined || !column.includes('8.2')) return []
      const isLost = String(cells['new id']).includes('yes')
      const atLeast = (value: number) => Math.max(0.05, value)
      return [{ fault, contender, isLost, ...mapFigure(figure, atLeast) }]
    }),
  )
  if (points.length === 0) return drawNothing(title, 'scripts/bench faults')
  return draw({
    title,
    notes: [
      'Dot: median; line: least and greatest; filled: the session is kept; hollow: the visitor gets a new id and is logged out.',
      'No mark for native: no answer in 60 s. PHP 8.2; what is below 0.05 s stands there.',
      sourceOf(all, 'faults', faults[0] ?? ''),
    ],
    legend: ['native', 'managed'],
    plot: {
      height: 60 + 30 * faults.length,
      marginLeft: 310,
      marginRight: 40,
      color: { legend: false },
      x: {
        ...AXIS,
        label: 'seconds, logarithmic →',
        type: 'log',
        grid: true,
        domain: [0.04, 120],
        ticks: [0.1, 1, 10, 100],
        tickFormat: String,
      },
      y: { label: null, domain: faults },
      marks: [
        // One above the other, so that neither hides the other.
        ...['native', 'managed'].flatMap((one, i) =>
          dots(
            points.filter(({ contender }) => contender === one),
            { y: 'fault', dy: 8 * i - 4 },
            ({ contender }) => colourOf(contender),
            ({ isLost }) => isLost,
          ),
        ),
      ],
    },
  })
}
