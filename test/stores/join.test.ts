import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { phpAsShipped } from '../../scripts/parts/php-as-shipped.ts'
import { withoutHead } from '../../src/stores/handler/join.ts'

const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((path) =>
  path.endsWith('.php'),
)

test('joined files have no head, as shipped and as in src', () => {
  const texts = files
    .map((path) => readFileSync(`src/${path}`, 'utf8'))
    .flatMap((text) => [text, phpAsShipped(text)])
  expect(texts.length).toBeGreaterThan(50)
  expect(
    texts.filter((text) => /^\s*(<\?php|namespace PhpSessions|use function)/.test(withoutHead(text))),
  ).toEqual([])
})
