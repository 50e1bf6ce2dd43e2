import { expect, test } from 'vitest'
import { Told } from '../../playground/server/story.ts'
import { anchorsOf, readPage } from '../support/docs/pages.ts'

const said = (told: Told) => told.story.map(({ lane, text, times }) => `${lane ?? 'all'}: ${text} ${times}`)

test('what happens again in a lane is counted until something is done to all; the rest stays', () => {
  const told = new Told()
  const lost = (lane: string, updates: number) =>
    told.tell(updates, { lane, tone: 'bad', same: 'out', text: `${updates} gone`, page: undefined })
  const all = (text: string) => told.tell(0, { lane: undefined, tone: 'plain', text, page: undefined })
  all('A is killed')
  for (const updates of [1, 2, 3]) for (const lane of ['x', 'y']) lost(lane, updates)
  all('B is killed')
  all('B is killed')
  lost('x', 4)
  expect(said(told)).toEqual([
    'all: A is killed 1',
    'x: 3 gone 3',
    'y: 3 gone 3',
    'all: B is killed 1',
    'all: B is killed 1',
    'x: 4 gone 1',
  ])
  expect(told.story.map(({ number }) => number)).toEqual([0, 1, 2, 3, 4, 5])
})

test('it keeps the last ones only', () => {
  const told = new Told()
  for (let i = 0; i < 1000; i++) {
    told.tell(i, { lane: 'x', tone: 'plain', text: String(i), page: undefined })
    told.mark(i, String(i))
  }
  expect(told.story.at(-1)?.text).toBe('999')
  expect(told.story.length).toBeLessThan(100)
  expect(told.marks.length).toBeLessThan(100)
})

test.for(['deeds', 'sentences'])('the pages that %s name are there, with these headings', (name) => {
  const pages = [...readPage(`playground/server/${name}.ts`).matchAll(/'(docs\/[\w-]+\.md)(?:#([\w-]+))?'/g)]
  expect(pages.length).toBeGreaterThan(3)
  const broken = pages.filter(
    ([, file = '', anchor]) => anchor !== undefined && !anchorsOf(readPage(file)).includes(anchor),
  )
  expect(broken.map(([text]) => text)).toEqual([])
})
