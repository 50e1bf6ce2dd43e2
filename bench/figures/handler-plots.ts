import * as Plot from '@observablehq/plot'
import type { Results } from '../benchmark.ts'
import { draw, drawNothing } from './drawing.ts'
import { AXIS, CONTENDERS, colourOf, dots, roof, sourceOf } from './marks.ts'
import { figureOf, findResults, findTable, ratioOf, sumOf } from './results.ts'

const NETWORKS = { redis: 'loopback', 'redis-1ms': '1 ms', 'redis-5ms': '5 ms' }

/** Requests a second, of native, on networks that are slower and slower. */
export function plotThroughput(all: readonly Results[]): string {
  const title = "Throughput of one Redis, as a multiple of PHP's own handler with its lock"
  const found = Object.entries(NETWORKS).filter(
    ([name]) => findResults(all, name, 'throughput') !== undefined,
  )
  const points = found.flatMap(([name, network]) => {
    const table = findTable(all, name, 'throughput')
    return CONTENDERS.filter((one) => one in table && one !== 'native').flatMap((contender) => {
      const ratio = ratioOf(table, contender, 'native', 'requests/s')
      return ratio === undefined ? [] : [{ network, contender, ...ratio }]
    })
  })
  if (points.length === 0) return drawNothing(title, 'scripts/bench redis')
  return draw({
    title,
    notes: [
      'Dot: median of the ratios within a round; line: least and greatest. Right of 1 is faster than native. files has no network.',
      ...found.map(([name, network]) => `${network}: ${sourceOf(all, name, 'throughput')}`),
    ],
    plot: {
      marginLeft: 190,
      marginRight: 70,
      height: 40 + 26 * points.length + 20 * found.length,
      x: { ...AXIS, label: 'requests a second, of native →', grid: true, domain: [0, roof(points)] },
      y: { label: null, domain: CONTENDERS.filter((one) => points.some((p) => p.contender === one)) },
      fy: {
        label: null,
        domain: Object.values(NETWORKS).filter((n) => points.some((p) => p.network === n)),
      },
      marks: [
        Plot.ruleX([1], { stroke: 'currentColor', strokeDasharray: '4 3' }),
        ...dots(points, { y: 'contender', fy: 'network' }, ({ contender }) => colourOf(contender)),
        Plot.frame({ stroke: 'currentColor', strokeOpacity: 0.2 }),
      ],
    },
  })
}

/** The p99 of one visitor's requests, and the updates that are lost. */
export function plotContention(all: readonly Results[]): string {
  const title = 'One visitor, many requests at once: how long the slowest of 100 takes'
  const points = [10, 50].flatMap((together) => {
    const table = findTable(all, 'redis', `contention ${together}`)
    return CONTENDERS.flatMap((contender) => {
      const figure = figureOf(table[contender]?.['p99 ms'])
      const lost = sumOf(table[contender]?.['updates lost']) ?? 0
      if (figure === undefined) return []
      return [{ group: `${together} at once`, contender, lost, ...figure }]
    })
  })
  if (points.length === 0) return drawNothing(title, 'scripts/bench redis')
  const groups = [...new Set(points.map(({ group }) => group))]
  return draw({
    title,
    notes: [
      'A page reads its session, works for 5 ms and writes. Dot: median p99 of the rounds; line: least and greatest.',
      'A handler without a lock is fast because requests overwrite each other: what is lost stands beside it.',
      ...[10, 50]
        .filter((n) => groups.includes(`${n} at once`))
        .map((n) => `${n} at once: ${sourceOf(all, 'redis', `contention ${n}`)}`),
    ],
    plot: {
      marginLeft: 190,
      marginRight: 150,
      height: 50 + 26 * points.length + 20 * groups.length,
      x: {
        ...AXIS,
        label: 'p99 in ms, logarithmic →',
        type: 'log',
        grid: true,
        nice: true,
        ticks: [10, 30, 100, 300, 1000, 3000],
        tickFormat: (value: number) => value.toLocaleString('en'),
      },
      y: { label: null, domain: CONTENDERS.filter((one) => points.some((p) => p.contender === one)) },
      fy: { label: null },
      marks: [
        ...dots(points, { y: 'contender', fy: 'group' }, ({ contender }) => colourOf(contender)),
        Plot.text(points, {
          x: 'greatest',
          y: 'contender',
          fy: 'group',
          dx: 10,
          textAnchor: 'start',
          fill: 'currentColor',
          text: ({ lost }) => (lost === 0 ? 'nothing lost' : `${lost.toLocaleString('en')} updates lost`),
        }),
        Plot.frame({ stroke: 'currentColor', strokeOpacity: 0.2 }),
      ],
    },
  })
}
