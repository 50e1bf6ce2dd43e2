import { expect, test } from 'vitest'
import { readPage } from '../support/docs/pages.ts'

const compatibility = readPage('docs/compatibility.md').replaceAll(/\s+/g, ' ')
const rows = [...readPage('docs/support.md').matchAll(/^\| (8\.\d) \|[^|]*\| ([^|]+) \| ([^|]+) \|$/gm)]

test.each(rows.map(([, php = '', extensions = '', where = '']) => [php, extensions, where] as const))(
  'PHP %s is supported with what docs/compatibility.md says was tested: %s',
  (php, extensions, where) => {
    expect(compatibility).toMatch(
      new RegExp(`PHP ${php}(\\.\\d+)?( with|,) ${extensions.replace(', ', '(,| and) ')}`),
    )
    expect(compatibility.includes(`| PHP ${php}, `)).toBe(where === 'every test run')
  },
)

test('there is a row for each of five versions', () => {
  expect(rows.map(([, php]) => php)).toEqual(['8.1', '8.2', '8.3', '8.4', '8.5'])
})
