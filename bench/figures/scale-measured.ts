import type { Cell } from '../benchmark.ts'
import { renderTable } from '../parts/page-blocks.ts'
import { lastRow } from '../scale/model.ts'
import { measured, type ScaleTables } from '../scale/results.ts'
import { mastersReached } from '../simulation/closed-forms.ts'
import { renderMiddle, renderSpread } from './markdown.ts'
import { renderCount, renderKilobytes, renderNumber, renderShare } from './notation.ts'
import { figureOf, sumOf } from './results.ts'

type Cells = Readonly<Record<string, Cell>>

const middleOf = (cell: Cell | undefined) => figureOf(cell)?.middle ?? Number.NaN
const spreadOf = (cell: Cell | undefined) => renderSpread(figureOf(cell))
/** So many a second does a processor that needs these microseconds for one. */
const aSecond = (cell: Cell | undefined) => renderCount(Math.round(1e5 / middleOf(cell)) * 10)

/** The rows of a table, or those whose names have a part that the page leaves out. */
function rowsOf(
  tables: ScaleTables,
  table: string,
  render: (name: string, cells: Cells) => readonly string[],
  leftOut = /^/,
): readonly (readonly string[])[] {
  return Object.entries(tables[table] ?? {})
    .filter(([name]) => leftOut.test(name))
    .map(([name, cells]) => render(name.replace(leftOut, ''), cells))
}

/** The blocks of docs/scale.md that show what was measured. */
export const MEASURED: Readonly<Record<string, (tables: ScaleTables) => string>> = {
  pages: (tables) =>
    renderTable(
      ['managed handler, TLS', 'store µs a page', 'PHP µs', 'pages/s of a processor'],
      rowsOf(
        tables,
        'pages',
        (name, cells) => [
          name,
          spreadOf(cells['store µs/page']),
          renderMiddle(figureOf(cells['PHP µs/page'])),
          aSecond(cells['store µs/page']),
        ],
        /^managed, TLS, /,
      ),
    ),
  handlers: (tables) =>
    renderTable(
      ['8 workers, 1 KB', 'store µs a page'],
      rowsOf(
        tables,
        'pages',
        (name, cells) => [name, spreadOf(cells['store µs/page'])],
        /, 8 workers, 1 KB$/,
      ),
    ),
  masters: (tables) =>
    renderTable(
      ['', 'connections of each master', 'arithmetic', 'share of the busiest', 'even'],
      rowsOf(
        tables,
        'pages',
        (name, cells) => {
          const [masters = 1, workers = 1] = (name.match(/\d+/g) ?? []).map(Number)
          const reached = mastersReached(masters, middleOf(cells.pages) / workers)
          return [
            name.replace(', 1 KB', ''),
            String(cells['connections of each master']),
            renderCount((workers * reached) / masters),
            renderShare(middleOf(cells['share of the busiest master'])),
            renderShare(1 / masters),
          ]
        },
        /^managed, (?=\d+ masters)/,
      ),
    ),
  memory: (tables) =>
    renderTable(
      ['connections that wait', 'Redis counts', 'of the process', 'processor, all of them'],
      rowsOf(tables, 'connections', (name, cells) => [
        name.replace(/^\d+/, (count) => renderCount(Number(count))),
        renderKilobytes(middleOf(cells.bytes)),
        renderKilobytes(middleOf(cells['bytes of the process'])),
        renderShare(middleOf(cells['µs/s of all']) / 1e6),
      ]),
    ),
  sessions: (tables) =>
    renderTable(
      ['data', 'on the master', 'on each replica', 'Memcached'],
      rowsOf(tables, 'sessions', (name, cells) => [
        name,
        ...['master', 'a replica', 'Memcached'].map((place) => {
          const cell = cells[place === 'master' ? 'bytes on the master' : `bytes on ${place}`]
          return `${renderCount(middleOf(cell))} B`
        }),
      ]),
    ),
  waits: (tables) =>
    renderTable(
      ['requests that wait', 'each: store µs a second', 'each: commands a second'],
      rowsOf(tables, 'waits', (name, cells) => [
        name,
        renderMiddle(figureOf(cells['store µs/s'])),
        renderMiddle(figureOf(cells['commands/s'])),
      ]),
    ),
  handshakes: (tables) =>
    renderTable(
      ['a new connection with its login', 'store µs', 'a second, with a whole processor'],
      rowsOf(tables, 'handshakes', (name, cells) => [
        name.replace('v', ' '),
        spreadOf(cells['store µs']),
        aSecond(cells['store µs']),
      ]),
    ),
  restart: (tables) =>
    renderTable(
      ['workers at once', 'store µs each', 'the next page', 'status 503'],
      rowsOf(tables, 'restart', (name, cells) => [
        name,
        renderMiddle(figureOf(cells['store µs'])),
        renderMiddle(figureOf(cells['store µs of the next page'])),
        `${middleOf(cells['status 503'])} of ${middleOf(cells['of pages'])}`,
      ]),
    ),
  memcached: (tables) => {
    const cell = (row: string, what: string) => tables.memcached?.[row]?.[what]
    const [idle, most] = [cell('connections', 'count'), cell('by default', 'most connections')]
    return renderTable(
      ['Memcached', ''],
      [
        ['µs of its processors, a page, managed', spreadOf(cell('managed', 'µs/page'))],
        ['the same, native', spreadOf(cell('native', 'µs/page'))],
        [
          `bytes of a connection, of ${renderCount(middleOf(idle))}`,
          renderCount(middleOf(cell('connections', 'bytes'))),
        ],
        ['connections that it takes by default', renderCount(middleOf(most))],
        ['threads by default', renderCount(middleOf(cell('by default', 'threads')))],
      ],
    )
  },
  hidden: (tables) => {
    const row = lastRow(tables, 'connections', (name) => name.includes('TLS'))
    const [counted, all] = ['bytes', 'bytes of the process'].map((what) =>
      measured(tables, 'connections', row, what),
    )
    const hidden = renderKilobytes((all ?? Number.NaN) - (counted ?? Number.NaN))
    return `**A TLS connection takes ${hidden} that Redis does not count**: OpenSSL allocates them, and neither \`used_memory\` nor \`maxmemory\` sees them.\nLeave room for it beside \`maxmemory\`.`
  },
  slots: (tables) => {
    const costs = rowsOf(tables, 'slots', (name, { µs }) => [`${renderNumber(middleOf(µs))} with ${name}`])
    return `Of that master's processor, in µs for a page: ${costs.join(', ')}.`
  },
  turns: (tables) => {
    const [[name, { 'pages of each': cell }] = ['', {}]] = Object.entries(tables.turns ?? {})
    const figure = figureOf(cell)
    return `Of ${sumOf(cell)} pages, one after another, each of ${name} served ${figure?.least} to ${figure?.greatest}.`
  },
  signatures: (tables) => {
    const [rsa, ecdsa] = ['RSA, 2,048 bits', 'ECDSA'].map((name) => middleOf(tables.signatures?.[name]?.µs))
    return `The server's certificate had an ECDSA key. With an RSA key of 2,048 bits a signature takes ${renderNumber(rsa ?? Number.NaN)} µs instead of ${renderNumber(ecdsa ?? Number.NaN)}.`
  },
  largest: (tables) => {
    const most = (table: string, pattern: RegExp) =>
      renderCount(
        Math.max(...Object.keys(tables[table] ?? {}).map((name) => Number(pattern.exec(name)?.[1] ?? 0))),
      )
    const workers = most('connections', /^(\d+) workers/)
    return [
      `- **More than ${workers} workers and ${most('pages', /(\d+) masters/)} masters** have not been run here, and ${most('connections', /^(\d+) logged in/)} connections only without PHP. Everything`,
      '  beyond is multiplication and simulation.',
      `- **That cost does not grow with connections.** It did not up to ${workers} workers. ElastiCache's manual says that answers take`,
      '  longer as connections grow, and advises against staying near 65,000.',
    ].join('\n')
  },
}
