import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { renderPhpFile } from '../../../src/core/formats/php-text.ts'
import { Secret } from '../../../src/core/secret.ts'
import { PHPS } from '../../support/php/php.ts'
import { fc } from '../../support/properties.ts'
import { passwords } from '../../support/values/texts.ts'

const HOURS = 3_600_000

describe.each(PHPS)('%s', (_, { propertyRuns, runPhp }) => {
  test(
    `a file of PHP gives back the same bytes for ${propertyRuns} arbitrary values`,
    () => {
      const file = join(makeScratch('php-text'), 'value.php')
      fc.assert(
        fc.property(passwords, passwords, (password, name) => {
          const value = { password: new Secret(password), list: [{ [`n${name}`]: 1 }, [], null, true, 2.5] }
          writeFileSync(file, renderPhpFile('A comment.', value))
          // A fault in the file, or text around its value, would be in the output.
          const read = runPhp(
            'display_errors=1\n',
            `$value = require $argv[1];
             echo bin2hex($value['password']), '|', bin2hex(substr(array_key_first($value['list'][0]), 1)), '|';
             unset($value['password']); $value['list'][0] = array_values($value['list'][0]); echo json_encode($value);`,
            file,
          )
          const hex = (text: string) => Buffer.from(text).toString('hex')
          expect(read.toString()).toBe(`${hex(password)}|${hex(name)}|{"list":[[1],[],null,true,2.5]}`)
        }),
        { numRuns: propertyRuns },
      )
    },
    HOURS,
  )
})
