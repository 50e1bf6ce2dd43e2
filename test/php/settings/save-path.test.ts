import { afterAll, describe, expect, test } from 'vitest'
import { startRedis } from '../../../lab/redis/server.ts'
import { renderIni } from '../../../src/core/formats/ini.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'
import { planFor } from '../../support/plan.ts'
import { fc } from '../../support/properties.ts'
import { passwords } from '../../support/values/texts.ts'

const HOURS = 3_600_000
const server = await startRedis()
afterAll(() => server.stop())

/** One process is enough: what a second one reads is tried in round-trips.test.ts. */
const SESSION = `
session_start() or exit('failed');
$_SESSION['word'] = 'kept';
session_write_close();
$_SESSION = [];
echo session_start() ? 'started ' : 'failed ', $_SESSION['word'] ?? 'and lost';`

interface Credentials {
  readonly username?: string
  readonly password: string
}

function runSession({ loadExtensions, runPhp }: PhpUnderTest, credentials: Credentials): string {
  const plan = planFor([
    { name: 'redis-sessions', credentials: { host: server.host, port: server.port, ...credentials } },
  ])
  expect(plan.findings).toEqual([])
  const extensions = loadExtensions('igbinary', 'msgpack', 'redis')
  return runPhp(`${extensions}${renderIni(plan.directives)}`, `ob_start();${SESSION}`).toString()
}

describe.each(PHPS)('%s', (_, php) => {
  test(
    `phpredis logs in with ${php.propertyRuns} arbitrary passwords of an ACL user`,
    () => {
      fc.assert(
        fc.property(passwords, (password) => {
          server.cli('ACL', 'SETUSER', 'app', 'reset', 'on', `>${password}`, '~*', '+@all')
          expect(runSession(php, { username: 'app', password })).toBe('started kept')
        }),
        { numRuns: php.propertyRuns },
      )
    },
    HOURS,
  )

  test('a wrong password does not log in', () => {
    server.cli('ACL', 'SETUSER', 'app', 'reset', 'on', '>right', '~*', '+@all')
    expect(runSession(php, { username: 'app', password: 'wrong' })).not.toContain('started')
  })
})
