import type { Cell, Results, Table } from '../benchmark.ts'
import { renderTable } from '../parts/page-blocks.ts'
import { renderMiddle, renderName, renderSource, renderSpread } from './markdown.ts'
import { renderCount } from './notation.ts'
import { figureOf, findBest, findResults, findTable, ratioOf, sumOf } from './results.ts'
import { SCALE_BLOCKS } from './scale-blocks.ts'

type Block = (all: readonly Results[], ...words: readonly string[]) => string

/** The blocks of docs/internals/figures.md by the first word of their mark. */
export const BLOCKS: Readonly<Record<string, Block>> = {
  start: (all) =>
    withSource(
      all,
      'start',
      'launch',
      renderTable(
        ['', 'ms', 'times the first'],
        [
          ...startRows(all, 'launch', 'a static `true`'),
          ['', '', ''],
          ...startRows(all, 'exec', '/bin/true'),
        ],
      ),
    ),
  services: (all) => {
    const [file, directories] = [
      findTable(all, 'services', 'file'),
      findTable(all, 'services', 'directories'),
    ]
    const rows = Object.keys(file).map((count) => [
      count,
      renderSpread(figureOf(file[count]?.ms)),
      renderSpread(figureOf(directories[count]?.ms)),
    ])
    return withSource(
      all,
      'services',
      'file',
      renderTable(['', 'one file, `launch`, ms', 'a directory each, `exec`, ms'], rows),
    )
  },
  throughput: (all, name = '') => {
    const table = findTable(all, name, 'throughput')
    const bases = ['native', "the peers' ini"].filter((base) => base in table)
    const whats = ['p99 ms', 'PHP µs/page', 'store µs/page'].filter((what) => hasColumn(table, what))
    const rows = Object.entries(table).map(([row, cells]) => [
      renderName(row),
      renderMiddle(figureOf(cells['requests/s'])),
      ...bases.map((base) => renderSpread(ratioOf(table, row, base, 'requests/s'))),
      ...whats.map((what) => renderMiddle(figureOf(cells[what]))),
    ])
    const head = ['', 'requests/s', ...bases.map((base) => `of ${base}`), ...whats]
    return withSource(all, name, 'throughput', renderTable(head, rows))
  },
  contention: (all, name = '') => {
    const [ten, fifty] = ['contention 10', 'contention 50'].map((table) => findTable(all, name, table))
    const counts = hasColumn(ten ?? {}, 'commands/page') ? ['commands/page'] : []
    const rows = Object.keys(ten ?? {}).map((row) => [
      renderName(row),
      ...[ten, fifty].flatMap((table = {}) => [
        renderMiddle(figureOf(table[row]?.['p99 ms'])),
        renderSpread(ratioOf(table, row, 'files', 'p99 ms')),
        renderCounts(table[row] ?? {}),
      ]),
      ...counts.map((what) =>
        [ten, fifty].map((table) => renderMiddle(figureOf(table?.[row]?.[what]))).join(' / '),
      ),
    ])
    const head = ['', '10: p99 ms', 'of files', 'lost', '50: p99 ms', 'of files', 'lost', ...counts]
    return withSource(all, name, 'contention 10', renderTable(head, rows))
  },
  commands: (all, name = '') => {
    const table = findTable(all, name, 'commands')
    const both = (row: string, what: string) =>
      ['changed', 'unchanged'].map((how) => renderWhole(table[row]?.[`${what}, ${how}`])).join(' / ')
    const rows = Object.keys(table).map((row) => [
      renderName(row),
      both(row, 'commands'),
      both(row, 'round trips'),
    ])
    const head = ['session changed / unchanged', 'commands', 'round trips']
    return withSource(all, name, 'commands', renderTable(head, rows))
  },
  sizes: (all) => {
    const sizes = Object.keys(findResults(all, 'sizes', '1 KB')?.tables ?? {})
    const cell = (size: string, row: string) => findTable(all, 'sizes', size)[row] ?? {}
    const rows = Object.keys(findTable(all, 'sizes', '1 KB')).map((row) => [
      renderName(row),
      ...sizes.map((size) =>
        ['requests/s', 'PHP µs/page'].map((what) => renderMiddle(figureOf(cell(size, row)[what]))).join(', '),
      ),
    ])
    return withSource(all, 'sizes', '1 KB', renderTable(['requests/s, PHP µs a page', ...sizes], rows))
  },
  faults: (all, name = '') => {
    const { tables = {} } = findBest(all, name) ?? {}
    const faults = Object.keys(tables)
    const columns = [...new Set(Object.values(tables).flatMap((table) => Object.keys(table)))]
    const rows = Object.entries(tables).map(([fault, table]) => [
      fault,
      ...columns.map((column) => renderFault(table[column] ?? {})),
    ])
    return withSource(all, name, faults[0] ?? '', renderTable(['', ...columns.map(renderName)], rows))
  },
  copy: (all) => {
    const table = findTable(all, 'copy', 'copying')
    const rows = Object.entries(table).map(([row, cells]) => [
      row,
      renderSpread(figureOf(cells.seconds)),
      renderMiddle(figureOf(cells['pages/s'])),
      renderWhole(cells['logged out']),
    ])
    const head = ['100,000 sessions of 1 KB', 'seconds', 'pages/s meanwhile', 'logged out']
    return withSource(all, 'copy', 'copying', renderTable(head, rows))
  },
  encryption: (all, name = '') => {
    const sizes = ['1 KB', '10 KB', '100 KB']
    const ways = Object.keys(findTable(all, name, '1 KB'))
    const rows = ways.map((way) => [
      way,
      ...sizes.map((size) => {
        const cells = findTable(all, name, size)[way] ?? {}
        return `${renderMiddle(figureOf(cells['µs/page']))} µs, ${renderWhole(cells.bytes)} B`
      }),
    ])
    return withSource(all, name, '1 KB', renderTable(['', ...sizes], rows))
  },
  pool: (all) => {
    const { tables = {} } = findBest(all, 'pool') ?? {}
    const [title = ''] = Object.keys(tables)
    const columns = Object.values(tables)
    const [first = {}] = columns
    const rows = columnsOf(first).flatMap((when) =>
      Object.keys(first).map((php) => [
        `${when}, ${php}`,
        ...columns.map((column) => renderWord(column[php]?.[when])),
      ]),
    )
    return withSource(all, 'pool', title, renderTable(['24 visitors', ...Object.keys(tables)], rows))
  },
  scale: (all, name = '') => {
    const results = findResults(all, 'scale', 'pages')
    if (results === undefined) return renderMissing('scale')
    const block = SCALE_BLOCKS[name]
    if (block === undefined) throw new Error(`there is no block called ${name}`)
    return block(results.tables, results)
  },
  /** A table as it stands in the file. */
  words: (all, name = '', ...rest) => {
    const title = rest.join(' ')
    const table = findTable(all, name, title)
    const columns = columnsOf(table)
    const rows = Object.entries(table).map(([row, cells]) => [
      renderName(row),
      ...columns.map((column) => renderWord(cells[column])),
    ])
    return withSource(all, name, title, renderTable(['', ...columns], rows))
  },
}

function startRows(all: readonly Results[], table: string, base: string): readonly string[][] {
  const found = findTable(all, 'start', table)
  return Object.entries(found).map(([row, cells]) => [
    row === 'php-sessions launch' || row.startsWith('exec') ? `**${row}**` : row,
    renderSpread(figureOf(cells.ms)),
    renderSpread(ratioOf(found, row, base, 'ms')),
  ])
}

/** What a visitor with a session saw, in the words of a visitor. */
function renderFault(cells: Readonly<Record<string, Cell>>): string {
  const word = (name: string) => String(cells[name] ?? '')
  const lost = word('new id').includes('yes') ? 'logged out' : ''
  const unkept = word('the app saw').includes('not kept') ? 'changes lost' : ''
  const password = word('password in the log') === 'yes' ? '**password logged**' : ''
  const time = figureOf(cells.seconds)
  const seconds = time === undefined ? '' : `${time.middle.toFixed(1)} s`
  return [word('status'), lost, unkept, seconds, password].filter((part) => part !== '').join(', ')
}

/** Lost updates, and refused requests where there are some. */
function renderCounts(cells: Readonly<Record<string, Cell>>): string {
  const [lost, refused] = [sumOf(cells['updates lost']), sumOf(cells.refused)]
  if (lost === undefined) return ''
  return refused === undefined || refused === 0 ? String(lost) : `${lost}, ${refused} refused`
}

function renderWhole(cell: Cell | undefined): string {
  const figure = figureOf(cell)
  return figure === undefined ? '' : renderCount(figure.middle)
}

function renderWord(cell: Cell | undefined): string {
  return typeof cell === 'string' ? cell : renderSpread(figureOf(cell))
}

function columnsOf(table: Table): readonly string[] {
  return [...new Set(Object.values(table).flatMap((row) => Object.keys(row)))]
}

function hasColumn(table: Table, what: string): boolean {
  return Object.values(table).some((cells) => what in cells)
}

/** The block with its source; where nothing was measured, the command that does it. */
function withSource(all: readonly Results[], name: string, table: string, markdown: string): string {
  const results = findResults(all, name, table)
  if (results === undefined) return renderMissing(name)
  return `${markdown}\n\n${renderSource(results, table)}`
}

function renderMissing(name: string): string {
  return `Not measured yet: \`scripts/bench ${name}\`.`
}
