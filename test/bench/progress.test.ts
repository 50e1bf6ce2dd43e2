import { describe, expect, test } from 'vitest'
import { minutesLeft, progressLine } from '../../bench/progress.ts'

const ALL = [
  { name: 'start', minutes: 1 },
  { name: 'redis', minutes: 4 },
  { name: 'copy', minutes: 2 },
]

describe('the time that is left', () => {
  test('is the estimate of all benchmarks at the beginning', () => {
    expect(minutesLeft(ALL, 0, 0, 0)).toBe(7)
  })

  test('grows where the machine is slower than expected', () => {
    expect(minutesLeft(ALL, 1, 0.5, 6)).toBe(8)
  })

  test('shrinks while a benchmark runs', () => {
    expect(minutesLeft(ALL, 2, 0.75, 6.5)).toBe(0.5)
  })
})

test('the line of progress has the benchmark, how far it is, and the time left', () => {
  expect(progressLine(ALL, 1, 0.5, 3)).toBe('[2/3] redis             ##########---------- 4 min left')
  expect(progressLine(ALL, 2, 1, 7)).toBe(
    '[3/3] copy              #################### less than a minute left',
  )
})
