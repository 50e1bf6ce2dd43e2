import { expect, test } from 'vitest'
import { joinWords, nearest, oneLine } from '../../src/core/text.ts'

test('text from outside becomes one printable line', () => {
  expect(oneLine('  a\r\n\tb\u001b[31m\0c ')).toBe('a b [31m c')
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
