import { describe, expect, test } from 'vitest'
import { minutesOf, namesOf, renderList } from '../../bench/list.ts'
import { readPage } from '../support/docs/pages.ts'

const minutes = (isQuick: boolean) => minutesOf(namesOf(isQuick), isQuick)

describe('scripts/bench', () => {
  test('takes three hours at most, with --quick 25 minutes', () => {
    expect(minutes(false)).toBeLessThanOrEqual(180)
    expect(minutes(true)).toBeLessThanOrEqual(25)
  })

  test('takes as long as bench/results/README.md says', () => {
    const said = (isQuick: boolean) => `about ${Math.ceil(minutes(isQuick))} minutes`
    expect(readPage('bench/results/README.md')).toContain(said(false))
    expect(readPage('bench/results/README.md')).toContain(said(true))
  })

  test('lists each benchmark with its minutes, and all of them', () => {
    expect(renderList(['start', 'pool', 'scale'])).toMatchInlineSnapshot(`
      "minutes               in full  --quick
      start                     1.1      0.6
      pool                      3.9        -
      scale                    12.2      4.2
      all of them              17.2      4.8
      "
    `)
  })
})
