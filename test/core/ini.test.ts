import { expect, test } from 'vitest'
import { quoteIni, renderIni } from '../../src/core/formats/ini.ts'
import { Secret } from '../../src/core/secret.ts'

test.each([
  ['', '""'],
  ['plain', '"plain"'],
  ['a"b\\c', '"a\\"b\\\\c"'],
  ['${HOME}', '"$""{HOME}"'],
  ['ends"\nhere', '"ends\\"""\nhere"'],
])('quotes %j', (text, ini) => {
  expect(quoteIni(text)).toBe(ini)
})

test('the reason is above each directive, and a secret is in clear', () => {
  const password = new Secret('S3CRET')
  expect(
    renderIni([{ name: 'memcached.sess_sasl_password', value: password, because: 'from the binding' }]),
  ).toBe('; from the binding\nmemcached.sess_sasl_password = "S3CRET"\n')
  expect(`${password} ${JSON.stringify({ password })}`).toBe('•••• {"password":"••••"}')
})

test('a line break in a reason cannot add a directive', () => {
  const ini = renderIni([{ name: 'a', value: true, because: 'server h\nauto_prepend_file=/etc/passwd' }])
  expect(ini).toBe('; server h\\nauto_prepend_file=/etc/passwd\na = On\n')
})
