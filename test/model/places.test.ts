import { describe, expect, test } from 'vitest'
import { type Variant, visitOrders } from './places-model.ts'

/** Lists that may run side by side: each pair has the first place of both in common. `P` is the plain place. */
const PAIRS = [
  ['A', 'A'],
  ['P', 'PA'],
  ['PA', 'AP'],
  ['AP', 'ABP'],
  ['ABP', 'BAP'],
  ['BAP', 'BP'],
  ['AB', 'BA'],
] as const

const SOUND = { lost: 0, stuck: 0, left: 0 }

describe.each(PAIRS)('instances with %s and %s', (one, other) => {
  const places = [...new Set(one + other)].filter((place) => one.includes(place) && other.includes(place))
  test('no order of two or three requests loses an update or ends in a circle, wherever the session is', () => {
    for (const where of ['', ...places])
      for (const lists of [
        [one, other],
        [one, one, other],
        [one, other, other],
      ]) {
        const faults = visitOrders(where === '' ? {} : { [where]: 5 }, lists)
        expect({ where, lists, ...faults }).toMatchObject(SOUND)
        expect(faults.worlds).toBeGreaterThan(5)
      }
  })
})

test.each<[string, Variant, 'lost' | 'stuck' | 'left']>([
  ['locks in the order of the own list', { ownOrder: true }, 'stuck'],
  ['a move with one lock', { oneLock: true }, 'lost'],
  ['a place that is given back before the session is written', { releasesFirst: true }, 'lost'],
  ['a look without locks', { looksOnly: true }, 'lost'],
])('is detected: %s', (_name, variant, fault) => {
  const all = ['', 'A', 'B'].map((where) =>
    visitOrders(where === '' ? {} : { [where]: 5 }, ['AB', 'BA', 'BA'], variant),
  )
  expect(all.some((faults) => faults[fault] > 0)).toBe(true)
})
