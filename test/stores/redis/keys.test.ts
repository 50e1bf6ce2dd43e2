import { expect, test } from 'vitest'
import type { Handler } from '../../../src/core/options.ts'
import { readOptions } from '../../../src/core/options.ts'
import { redisKeyPatterns, redisKeyPrefix } from '../../../src/stores/redis/keys.ts'
import { HANDLER_TEXT } from '../../support/handler-text.ts'

const { options } = readOptions({ env: { PHP_SESSIONS_PREFIX: 'shop:' }, file: { value: {}, from: '' } })
const placed = (value: 'single' | 'sentinel' | 'cluster') => ({ topology: { value, from: '' } })

test.each([
  ['single', 'native', ['~shop:*']],
  ['single', 'managed', ['~shop:*', '~{shop:*']],
  ['sentinel', 'managed', ['~shop:*']],
  ['cluster', 'native', ['~shop:*']],
  ['cluster', 'managed', ['~shop:*', '~{shop:*']],
] as const)('the key patterns of %s with the handler %s', (topology, handler: Handler, patterns) => {
  expect(redisKeyPatterns(placed(topology), handler, options)).toEqual(patterns)
})

test('the patterns cover the names that the managed handler uses at one address that hides a cluster', () => {
  const [, ends = '', name = ''] =
    /preg_replace\('\/\^\(\.\*\)\((.*?)\)\$\/Ds', '(.*?)'/.exec(HANDLER_TEXT.redis) ?? []
  const key = `${redisKeyPrefix(placed('single'), options)}abc`
  const names = ends.split('|').map((end) => name.replace('$1', key).replace('$2', end))
  expect(names).toContain('{shop:abc}_LOCK')
  const patterns = redisKeyPatterns(placed('single'), 'managed', options).map((pattern) =>
    pattern.slice(1, -1),
  )
  for (const used of names) expect(patterns.some((start) => used.startsWith(start))).toBe(true)
})
