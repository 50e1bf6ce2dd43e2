import { expect, test } from 'vitest'
import { fillFigures } from '../../bench/figures/page.ts'
import { PLOTS } from '../../bench/figures/plots.ts'
import { readResults } from '../../bench/figures/results.ts'
import { readPage } from '../support/docs/pages.ts'

const PAGE = 'docs/internals/figures.md'
const results = readResults()

test('the tables of docs/internals/figures.md are made from bench/results', async () => {
  await expect(fillFigures(readPage(PAGE), results)).toMatchFileSnapshot(`../../${PAGE}`)
})

test.for(Object.entries(PLOTS))('the plot %s is made from bench/results', async ([name, plot]) => {
  await expect(plot(results)).toMatchFileSnapshot(`../../docs/internals/plots/${name}.svg`)
})

test('no table of docs/internals/figures.md is made by hand', () => {
  const byHand = readPage(PAGE).replace(/<!-- figures: [\s\S]*?<!-- end -->/g, '')
  expect(byHand.match(/^\|.*/gm)).toBeNull()
})
