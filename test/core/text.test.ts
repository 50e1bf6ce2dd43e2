import { expect, test } from 'vitest'
import { joinFirst, joinWords, nearest, oneLine, quoteForRedisCli } from '../../src/core/text.ts'

test('text from outside becomes one printable line', () => {
  expect(oneLine('  a\r\n\tb\u001b[31m\0c ')).toBe('a\\r\\n\\tb\\u001b[31m\\u0000c')
  expect(oneLine('\u202egnp.exe\u009b')).toBe('\\u202egnp.exe\\u009b')
})

test('an argument of redis-cli is one word of one printable line', () => {
  expect(quoteForRedisCli('~PHPREDIS_SESSION:*')).toBe('~PHPREDIS_SESSION:*')
  expect(quoteForRedisCli('a "b"\\')).toBe('"a \\"b\\"\\\\"')
  expect(quoteForRedisCli('a\n\u001b\u202eü')).toBe('"a\\x0A\\x1B\\xE2\\x80\\xAEü"')
})

test('of a long list the first are named', () => {
  const numbers = (count: number) => Array.from({ length: count }, (_, i) => String(i + 1))
  expect(joinFirst([], '; ')).toBe('')
  expect(joinFirst(numbers(9), ' ')).toBe('1 2 3 4 5 6 7 8 9')
  expect(joinFirst(numbers(3000), '; ')).toBe('1; 2; 3; 4; 5; 6; 7; 8; 9; and 2991 more')
})

test('a list is joined as in a sentence', () => {
  expect(joinWords([], 'or')).toBe('')
  expect(joinWords(['a'], 'or')).toBe('a')
  expect(joinWords(['a', 'b', 'c'], 'or')).toBe('a, b or c')
})

test('the nearest word is the one with the fewest edits', () => {
  expect(nearest('PHP_SESSION_LOCKING', ['PHP_SESSIONS_LIFETIME', 'PHP_SESSIONS_LOCKING'])).toBe(
    'PHP_SESSIONS_LOCKING',
  )
  expect(nearest('lunch', ['ini', 'launch', 'supply'])).toBe('launch')
})
