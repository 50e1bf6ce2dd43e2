import { expect, test } from 'vitest'
import { CANARY } from '../../lab/bindings.ts'
import { makeLongMask, makeMask } from '../../src/core/mask.ts'
import { Secret } from '../../src/core/secret.ts'
import { fc, PROPERTY_RUNS } from '../support/properties.ts'
import { passwords } from '../support/values/texts.ts'

const maskOf = (...secrets: readonly string[]) => makeMask(secrets.map((secret) => new Secret(secret)))

test('a secret is hidden in a text in every form', () => {
  const mask = maskOf(CANARY)
  for (const text of [CANARY, encodeURIComponent(CANARY), JSON.stringify(CANARY)])
    expect(mask(`a ${text} b`)).not.toMatch(/c4n/)
})

test('a short secret is hidden where it stands alone, not inside a word', () => {
  expect(maskOf('one', '0')('auth=one&x=0, abandoned by someone 10 times')).toBe(
    'auth=••••&x=••••, abandoned by someone 10 times',
  )
})

test('a secret of any length is hidden', () => {
  const path = 'redis://h?'.repeat(200_000)
  expect(maskOf(path)(`cannot use ${path}!`)).toBe('cannot use ••••!')
})

test('without secrets nothing is hidden, and an empty one is none', () => {
  expect(maskOf()('a b')).toBe('a b')
  expect(maskOf('')('a b')).toBe('a b')
})

test('in a whole text only long secrets are hidden', () => {
  const mask = makeLongMask([new Secret('ready'), new Secret('long enough')])
  expect(mask('Sessions are ready: long enough')).toBe('Sessions are ready: ••••')
})

test('no password is left where PHP quotes it, as it is or in a URL', () => {
  fc.assert(
    fc.property(passwords, (password) => {
      // A password of such a character is hidden there as well.
      fc.pre(!'?auth[]=&()'.includes(password))
      const mask = maskOf(password)
      expect(mask(`?auth[]=${encodeURIComponent(password)}&`)).toBe('?auth[]=••••&')
      expect(mask(`(${password})`)).toBe('(••••)')
    }),
    { numRuns: PROPERTY_RUNS },
  )
})
