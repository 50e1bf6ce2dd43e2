import { describe, expect, test } from 'vitest'
import { renderIni } from '../../../src/core/formats/ini.ts'
import { Secret } from '../../../src/core/secret.ts'
import { PHPS } from '../../support/php/php.ts'
import { fc } from '../../support/properties.ts'
import { passwords } from '../../support/values/texts.ts'

const HOURS = 3_600_000

describe.each(PHPS)('%s', (_, { loadExtensions, propertyRuns, runPhp }) => {
  test(
    `php -c gives back the same bytes for ${propertyRuns} arbitrary values`,
    () => {
      const extensions = loadExtensions('igbinary', 'msgpack', 'memcached')
      const name = 'memcached.sess_sasl_password'
      fc.assert(
        fc.property(passwords, (password) => {
          const ini = renderIni([
            { name, value: new Secret(password), because: password },
            { name: 'precision', value: 7, because: 'a value after it is still read' },
          ])
          const read = runPhp(`${extensions}${ini}`, `echo ini_get("${name}"), "|", ini_get("precision");`)
          expect(read).toEqual(Buffer.from(`${password}|7`))
        }),
        { numRuns: propertyRuns },
      )
    },
    HOURS,
  )

  test('without quotes or in double quotes, PHP loses parts of values', () => {
    const read = (line: string) => runPhp(`${line}\n`, 'echo get_cfg_var("x");').toString()
    expect(read('x=pa;ss')).toBe('pa')
    expect(read('x="pa${HOME}"')).toBe('pa/not/expanded')
  })
})
