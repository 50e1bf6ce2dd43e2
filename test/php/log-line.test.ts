import { describe, expect, test } from 'vitest'
import { HANDLER_TEXT } from '../support/handler-text.ts'
import { PHPS } from '../support/php/php.ts'

describe.each(PHPS)('%s', (_, { runPhp }) => {
  test("a server's words are one printable line of the log", () => {
    const said = 'NOAUTH\r\n\0\x1b[2K\x7f\u0085\u009b31m\u2028\u202e\u2066\u200f\u061c é – ok'
    const code = `${HANDLER_TEXT.redis.replace('<?php', '')}\necho \\PhpSessions\\printable(base64_decode('${Buffer.from(said).toString('base64')}'));`
    const shown = runPhp('', code).toString()
    expect(shown).toBe(
      'NOAUTH\\x0d\\x0a\\x00\\x1b[2K\\x7f\\xc2\\x85\\xc2\\x9b31m\\xe2\\x80\\xa8\\xe2\\x80\\xae\\xe2\\x81\\xa6\\xe2\\x80\\x8f\\xd8\\x9c é – ok',
    )
  })
})
