import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { HANDLER_TEXT } from '../../support/handler-text.ts'

const script = /public const (\w+) = \[\s+'([0-9a-f]{40})',\s+(?:<<<'LUA'\n([\s\S]*?)\nLUA|"(.*)"),/g
const scripts = [...HANDLER_TEXT.redis.matchAll(script)].map(([, name, hash, lua, line]) => ({
  name,
  hash,
  lua,
  line,
}))

test('the handler has its three scripts', () => {
  expect(scripts.map(({ name }) => name)).toEqual(['TAKE', 'RELEASE', 'READ'])
})

test.each(scripts)('the handler knows the SHA-1 of $name', ({ hash, lua, line }) => {
  expect(hash).toBe(
    createHash('sha1')
      .update(lua ?? line ?? '')
      .digest('hex'),
  )
})
