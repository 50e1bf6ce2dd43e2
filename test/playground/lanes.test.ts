import { expect, test } from 'vitest'
import { LANE_WORDS, readLanes } from '../../playground/engine/lane-words.ts'
import { Latencies } from '../../playground/server/latencies.ts'

test('lanes are read as people write them', () => {
  expect(readLanes(['files', 'managed:sentinel', 'native'], 3, true)).toEqual([
    { way: 'files', store: 'redis', instances: 3, isSticky: true },
    { way: 'managed', store: 'sentinel', instances: 3, isSticky: true },
    { way: 'native', store: 'redis', instances: 3, isSticky: true },
  ])
  for (const word of LANE_WORDS) expect(readLanes([word], 2, false)).toHaveLength(1)
})

test('an unknown lane, or too many lanes, are refused with a list of the lanes', () => {
  expect(readLanes(['managed:oracle'], 2, false)).toContain(
    'there is no lane managed:oracle; expected one of files, ',
  )
  expect(readLanes(['toString'], 2, false)).toContain('there is no lane toString')
  expect(readLanes([], 2, false)).toBe('expected one to 4 lanes, got 0')
  expect(readLanes(Array(5).fill('files'), 2, false)).toBe('expected one to 4 lanes, got 5')
})

test('percentiles are right to a fifth, whatever is counted, in a room that does not grow', () => {
  const latencies = new Latencies()
  expect(latencies.percentile(0.5)).toBeUndefined()
  for (let i = 1; i <= 1000; i++) latencies.add(i)
  for (const part of [0.01, 0.5, 0.99]) {
    const said = latencies.percentile(part) ?? 0
    expect(said).toBeGreaterThanOrEqual(part * 1000 * 0.95)
    expect(said).toBeLessThanOrEqual(part * 1000 * 1.25)
  }
  latencies.add(10_000_000)
  expect(latencies.percentile(1)).toBeGreaterThan(40_000)
})
