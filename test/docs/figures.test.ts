import { describe, expect, test } from 'vitest'
import { fillFigures } from '../../bench/figures/page.ts'
import { PLOTS } from '../../bench/figures/plots.ts'
import { readResults } from '../../bench/figures/results.ts'
import { BENCHMARKS } from '../../bench/list.ts'
import { readPage } from '../support/docs/pages.ts'

const PAGES = ['docs/internals/figures.md', 'docs/scale.md']
const results = readResults()

test.for(PAGES)('the tables of %s are made from bench/results', async (page) => {
  const filled = fillFigures(readPage(page), results)
  expect(filled).not.toContain('NaN')
  await expect(filled).toMatchFileSnapshot(`../../${page}`)
})

test.for(Object.entries(PLOTS))('the plot %s is made from bench/results', async ([name, plot]) => {
  await expect(plot(results)).toMatchFileSnapshot(`../../docs/internals/plots/${name}.svg`)
})

test('no table of docs/internals/figures.md is made by hand', () => {
  const byHand = readPage('docs/internals/figures.md').replace(/<!-- figures: [\s\S]*?<!-- end -->/g, '')
  expect(byHand.match(/^\|.*/gm)).toBeNull()
})

describe('a table', () => {
  const isHistory = (name: string) => results.some((one) => one.name === name && one.history !== undefined)
  const marks = PAGES.flatMap((page) =>
    [...readPage(page).matchAll(/<!-- figures: (.*?) -->/g)].map(([, words = '']) => words),
  )

  test.for([...new Set(marks)])('%s is filled by a benchmark, or says that it is history', (words) => {
    const names = words.split(' ').slice(0, 2).toReversed()
    const name = names.find((one) => one in BENCHMARKS || isHistory(one)) ?? ''
    expect(name, 'a name of scripts/bench --list').not.toBe('')
    if (!(name in BENCHMARKS))
      expect(fillFigures(`<!-- figures: ${words} -->\n<!-- end -->`, results)).toContain('**History**')
  })

  test('of earlier figures is history, or repeated by a benchmark', () => {
    for (const { name, history } of results.filter(({ mode }) => mode === 'earlier'))
      expect({ name, isHistory: history !== undefined }).toEqual({ name, isHistory: !(name in BENCHMARKS) })
  })
})
