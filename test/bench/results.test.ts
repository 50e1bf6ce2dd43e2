import { expect, test } from 'vitest'
import type { Load, Mode, Results } from '../../bench/benchmark.ts'
import { fillFigures } from '../../bench/figures/page.ts'
import { findResults, ratioOf } from '../../bench/figures/results.ts'

function madeBy(mode: Mode, load: Load): Results {
  return {
    name: 'copy',
    command: 'scripts/bench copy',
    mode,
    date: '2026-11-26',
    machine: { cores: 2 },
    load,
    versions: {},
    conditions: [],
    tables: { copying: { 'files to one Redis': { seconds: [12, 10, 11] } } },
  }
}

const [quiet, busy] = [{ others: [0.02, 0.04] }, { others: [0.02, 0.6] }]

test.for<[string, readonly Results[], number]>([
  [
    'few rounds on a quiet machine, before many on a busy one',
    [madeBy('full', busy), madeBy('quick', quiet)],
    1,
  ],
  ['many rounds before few', [madeBy('quick', quiet), madeBy('full', quiet)], 1],
  [
    'earlier figures of a quiet machine before new ones of a busy one',
    [madeBy('quick', busy), madeBy('earlier', { said: 'quiet' })],
    1,
  ],
  [
    'new figures before earlier ones, both of a quiet machine',
    [madeBy('earlier', { said: 'quiet' }), madeBy('quick', quiet)],
    1,
  ],
])('the page takes %s', ([, all, best]) => {
  expect(findResults(all, 'copy', 'copying')).toBe(all[best])
})

test('a ratio is taken within each round', () => {
  const table = { native: { ms: [10, 20, 40] }, managed: { ms: [20, 10, 40] } }
  expect(ratioOf(table, 'managed', 'native', 'ms')).toEqual({ middle: 1, least: 0.5, greatest: 2 })
})

test('a block has the median, the spread, the rounds, and what else the machine did', () => {
  const page = 'before\n<!-- figures: copy -->\nold\n<!-- end -->\nafter\n'
  expect(fillFigures(page, [madeBy('full', busy)])).toMatchInlineSnapshot(`
    "before
    <!-- figures: copy -->

    | 100,000 sessions of 1 KB | seconds | pages/s meanwhile | logged out |
    | --- | --- | --- | --- |
    | files to one Redis | 11.0 (10.0-12.0) |  |  |

    \`scripts/bench copy\`: 26 Nov 2026; 3 rounds; 2 cores; **a busy machine**: others used 60 % of it. [Raw](../../bench/results/copy.json).

    <!-- end -->
    after
    "
  `)
  expect(fillFigures(page, [])).toContain('Not measured yet: `scripts/bench copy`.')
})

test('the faults are those of the best results alone, as earlier ones have other names', () => {
  const faultsBy = (mode: Mode, load: Load, fault: string): Results => ({
    ...madeBy(mode, load),
    name: 'faults',
    tables: { 'a closed port': { native: { status: '200' } }, [fault]: { native: { status: '500' } } },
  })
  const all = [faultsBy('earlier', { said: 'busy' }, 'an old name'), faultsBy('quick', quiet, 'a new name')]
  const filled = fillFigures('<!-- figures: faults faults -->\n<!-- end -->', all)
  expect(filled).toContain('a new name')
  expect(filled).not.toContain('an old name')
})
