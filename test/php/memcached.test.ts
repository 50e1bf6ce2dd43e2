import { afterAll, describe, expect, test } from 'vitest'
import { startMemcached } from '../../lab/servers/memcached.ts'
import { renderIni } from '../../src/core/formats/ini.ts'
import { DEFAULT_PHP } from '../../src/core/php.ts'
import { PHPS, type PhpUnderTest } from '../support/php/php.ts'
import { planFor } from '../support/plan.ts'

const server = await startMemcached()
afterAll(() => server.stop())

const SESSION = `
set_error_handler(function ($level, $message) use (&$said) { $said .= $message; return true; });
$started = session_start();
echo phpversion("memcached"), $started ? " started" : " failed: $said";`

function startSession({ loadExtensions, runPhp }: PhpUnderTest, phpMajor: number): string {
  const credentials = { servers: `${server.host}:${server.port}` }
  const plan = planFor([{ name: 'memcached-sessions', credentials }], {}, { ...DEFAULT_PHP, major: phpMajor })
  const extensions = loadExtensions('igbinary', 'msgpack', 'memcached')
  return runPhp(`${extensions}${renderIni(plan.directives)}`, SESSION).toString()
}

describe.each(PHPS)('%s', (_, php) => {
  test('php-memcached 3 refuses the PERSISTENT= form that PHP 5 needs, and accepts the save_path for PHP 8', () => {
    expect(startSession(php, 5)).toMatch(
      /^3\..* failed: .*PERSISTENT is replaced by memcached.sess_persistent = On/,
    )
    expect(startSession(php, 8)).toMatch(/^3\..* started$/)
  })
})
