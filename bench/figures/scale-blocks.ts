import type { Results } from '../benchmark.ts'
import { renderTable } from '../parts/page-blocks.ts'
import {
  type App,
  limitsOf,
  MASTER_BYTES,
  MAX_CLIENTS,
  type Need,
  needOf,
  PLANNED_LOAD,
  storeSeconds,
  USUAL,
} from '../scale/model.ts'
import type { ScaleTables } from '../scale/results.ts'
import { BACKLOGS, nameRestart, nameSite, RESTART_SECONDS, SIZES } from '../scale/simulate.ts'
import { renderSource } from './markdown.ts'
import { renderBytes, renderCount, renderNumber, renderSeconds, renderShare } from './notation.ts'
import { figureOf } from './results.ts'
import { MEASURED } from './scale-measured.ts'

export type ScaleBlock = (tables: ScaleTables, results: Results) => string

/** The blocks of docs/scale.md: what follows for an app of a size, then what was measured. */
export const SCALE_BLOCKS: Readonly<Record<string, ScaleBlock>> = {
  limits: (tables) => {
    const limits = limitsOf(USUAL, tables)
    const one = needOf({ ...USUAL, instances: 1 }, tables)
    const upTo = (limit: number, each: number) => `${renderCount(roundDown(limit / each))} instances`
    return renderTable(
      ['what one Redis takes', 'for the app below', 'beyond it'],
      [
        [
          `**${renderCount(roundDown(limits.pagesPerSecond))} pages with a session a second**, with ${renderShare(PLANNED_LOAD)} of its processor`,
          upTo(limits.pagesPerSecond, one.pagesPerSecond),
          'Cluster: masters share the pages',
        ],
        [
          `**${renderCount(roundDown(limits.sessions))} sessions** of ${USUAL.kilobytes} KB, ${renderBytes(MASTER_BYTES)}`,
          upTo(limits.sessions, one.sessions),
          'Cluster: masters share the sessions',
        ],
        [
          `**${renderCount(limits.connections)} connections**, its default`,
          upTo(limits.connections, one.connections),
          '[fewer workers, a larger limit, a proxy](#connections); **a Cluster does not help**',
        ],
      ],
    )
  },
  sizes: (tables) =>
    renderTable(
      ['instances', 'use', 'pages/s', 'sessions', 'their memory', 'connections', 'processors of the store'],
      needsOf(tables).map(([instances, need]) => [
        `**${renderCount(instances)}**`,
        `**${recommend(instances, need)}**`,
        renderCount(need.pagesPerSecond),
        renderCount(need.sessions),
        renderBytes(need.sessionBytes),
        renderCount(need.connections),
        need.processors.toFixed(need.processors < 1 ? 3 : 1),
      ]),
    ),
  assumed: (tables, results) => {
    const { workers, pagesPerSecond, pageSeconds, pagesPerVisit, visitSeconds, lifetimeSeconds } = USUAL
    return [
      `- **An instance** has ${workers} workers and serves ${pagesPerSecond} pages with a session a second, of ${pageSeconds * 1000} ms each.`,
      `- **A visit** is ${pagesPerVisit} pages in ${visitSeconds / 60} minutes; its session lives for ${lifetimeSeconds / 60} minutes more and has ${USUAL.kilobytes} KB.`,
      `- **The store** is asked over TLS: ${renderNumber(storeSeconds(USUAL, tables) * 1e6)} µs of its processor for a page.`,
      `- **Measured:** ${renderSource(results, 'pages', '..')}`,
    ].join('\n')
  },
  connections: (tables) =>
    renderTable(
      [
        'instances',
        'connections of each master',
        `of ${renderCount(MAX_CLIENTS)}`,
        'their memory',
        'all connect again, TLS',
      ],
      needsOf(tables).map(([instances, need]) => [
        renderCount(instances),
        renderCount(need.connections),
        renderShare(need.connections / MAX_CLIENTS),
        renderBytes(need.connectionBytes),
        renderSeconds(need.connectSeconds),
      ]),
    ),
  simulated: (tables) =>
    renderTable(
      [
        'instances, masters',
        'load, arithmetic',
        'simulated',
        'session p50',
        'p99',
        'waits for a worker',
        'in bursts',
      ],
      needsOf(tables).map(([instances, need]) => {
        const value = (isBursts: boolean, what: string) =>
          figureOf(tables['simulated sites']?.[nameSite(instances, isBursts)]?.[what])?.middle ?? Number.NaN
        return [
          `${renderCount(instances)}, ${need.masters}`,
          renderShare(need.processors / need.masters),
          renderShare(value(false, 'load of a master')),
          `${value(false, 'session p50 ms').toFixed(1)} ms`,
          `${value(false, 'session p99 ms').toFixed(1)} ms`,
          renderShare(value(false, 'share that waited for a worker')),
          renderShare(value(true, 'share that waited for a worker')),
        ]
      }),
    ),
  restarts: (tables) =>
    renderTable(
      [
        ...['instances', 'pages/s of a master', 'connecting takes'],
        ...BACKLOGS.flatMap((backlog) => [`refused, ${renderCount(backlog)} may wait`, 'for']),
      ],
      needsOf(tables).map(([instances, need]) => [
        renderCount(instances),
        renderCount(need.pagesPerSecond / need.masters),
        renderSeconds(need.connectSeconds),
        ...BACKLOGS.flatMap((backlog) => {
          const cells = tables['simulated restarts']?.[nameRestart(instances, backlog)]
          const after = figureOf(cells?.['recovered after s'])?.middle
          return [
            renderShare(figureOf(cells?.['share refused'])?.middle ?? Number.NaN),
            after === undefined ? `${RESTART_SECONDS} s and on` : renderSeconds(after),
          ]
        }),
      ]),
    ),
  ...MEASURED,
}

function needsOf(tables: ScaleTables): readonly (readonly [instances: number, need: Need])[] {
  return SIZES.map((instances) => {
    const app: App = { ...USUAL, instances }
    return [instances, needOf(app, tables)]
  })
}

function recommend(instances: number, { masters, connections }: Need): string {
  if (instances > 1000) return `${instances / 1000} cells of 1,000; one Cluster of ${masters} is unproven`
  if (masters > 1)
    return `a Cluster of ${masters} masters${connections < MAX_CLIENTS ? '' : '; raise `maxclients`'}`
  if (instances >= 100) return 'one Redis with a replica, behind Sentinels'
  return instances === 1
    ? 'one server: Redis, Valkey or Memcached'
    : 'one server; with Sentinels if it must not fail'
}

/** Two figures, and never more than there is. */
function roundDown(value: number): number {
  const unit = 10 ** (Math.floor(Math.log10(value)) - 1)
  return Math.floor(value / unit) * unit
}
