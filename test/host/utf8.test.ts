import { expect, test } from 'vitest'
import { decodeUtf8, encodeUtf8 } from '../../src/host/utf8.ts'
import { fc, PROPERTY_RUNS } from '../support/properties.ts'

test('every text is encoded to the same bytes as in Node', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ max: 0xffff, min: 0 }), (text, unit) => {
      const odd = text + String.fromCharCode(unit) + text
      expect(encodeUtf8(odd)).toBe(Buffer.from(odd, 'utf8').toString('latin1'))
    }),
  )
})

test('valid, truncated and stray bytes are decoded as in Node', () => {
  // Bytes at the borders of the valid ranges, because random bytes would hardly ever form a sequence.
  const border = fc.constantFrom(
    ...[0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed],
    ...[0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff],
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(border, fc.nat(255)), { maxLength: 40 }), (bytes) => {
      const buffer = Buffer.from(bytes)
      expect(decodeUtf8(buffer.toString('latin1'))).toBe(buffer.toString('utf8'))
    }),
    { numRuns: 10 * PROPERTY_RUNS },
  )
})
