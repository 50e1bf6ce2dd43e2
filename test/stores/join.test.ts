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

test('no file makes a closure of a function by its name: with opcache, PHP before 8.1.4 calls it (php-src GH-8140)', () => {
  const found = files.flatMap(
    (path) => phpAsShipped(readFileSync(`src/${path}`, 'utf8')).match(/(?<![\w>:$])[\w\\]+\(\.\.\.\)/g) ?? [],
  )
  expect(found).toEqual([])
})
