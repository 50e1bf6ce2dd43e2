import { describe, expect, test } from 'vitest'
import holder from '../../src/stores/handler/waiting/holder.php'
import { PHPS, type PhpUnderTest } from '../support/php/php.ts'

/** What a request says of itself in its lock, by the variables of its server. */
async function nameOf({ startPhp }: PhpUnderTest, env: Readonly<Record<string, string>>, id = 'none') {
  // The second one is that of an encrypted session, whose name in the store is another one.
  const code = `${holder.replace('<?php', '')} session_id('bob'); echo Holder::own('${id}');`
  return startPhp('', code, { CF_INSTANCE_INDEX: '0', REQUEST_METHOD: 'GET', ...env })
}

describe.each(PHPS)('%s', (_name, underTest) => {
  test.each([
    ['/', '/'],
    ['/index.php?token=secret', '/index.php'],
    ['/wp-admin/admin-ajax.php', '/wp-admin/admin-ajax.php'],
    ['/api/v1/orders/12345/', '/api/v1/orders/12345/'],
    ['/blog/2024-summer-sale', '/blog/2024-summer-sale'],
    ['/cart;jsessionid=0A1B2C3D4E5F/items', '/cart*/items'],
    ['/reset/8f14e45fceea167a5a36dedd4bea2543', '/reset/*'],
    ['/o/550e8400-e29b-41d4-a716-446655440000/pay', '/o/*/pay'],
    ['/verify/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N', '/verify/*'],
    ['/i/aB3xK9', '/i/*'],
    ['/u/jane@example.org', '/u/*'],
    ['/u/jane%40example.org', '/u/*'],
    ['/call/00441234567890', '/call/*'],
    ['/pass phrase|x\n/y', '/*|*/y'],
    ['http://user:secret@host/page', '*//*/page'],
    [`/${'long/'.repeat(60)}`, `/${'long/'.repeat(60)}`.slice(0, 116)],
  ])('of the path %j a lock says %j', async (uri, path) => {
    expect(await nameOf(underTest, { REQUEST_URI: uri })).toMatch(/^\|0\|\d+\|GET\|/)
    expect((await nameOf(underTest, { REQUEST_URI: uri })).split('|').slice(4).join('|')).toBe(path)
  })

  test('a lock never says the id of its session, whatever that is like', async () => {
    expect(await nameOf(underTest, { REQUEST_URI: '/of/alice/cart/bob' }, 'alice')).toMatch(
      /\|GET\|\/of\/\*\/cart\/\*$/,
    )
  })

  test('the name of an instance has no blanks, by which a lock is read', async () => {
    const env = { CF_INSTANCE_INDEX: `a b|${'c'.repeat(99)}`, REQUEST_URI: '/' }
    expect(await nameOf(underTest, env)).toMatch(/^\|a_b_c{60}\|\d+\|GET\|\/$/)
  })

  test('without an index of the instance it is the name of the host; without a request it is the script', async () => {
    const { startPhp } = underTest
    const code = `${holder.replace('<?php', '')} echo gethostname(), "\\n", Holder::own('none');`
    const [host, said] = (await startPhp('', code, {})).split('\n')
    expect(said?.replace(/\|\d+\|/, '|PROCESS|')).toBe(`|${host}|PROCESS|cli|/`)
  })
})
