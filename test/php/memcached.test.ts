import { afterAll, expect, test } from 'vitest'
import { startMemcached } from '../../lab/memcached.ts'
import { renderIni } from '../../src/core/ini.ts'
import { loadExtensions, runPhp } from '../support/php.ts'
import { planFor } from '../support/plan.ts'

const server = await startMemcached()
afterAll(() => server.stop())

const EXTENSIONS = loadExtensions('igbinary', 'msgpack', 'memcached')
const SESSION = `
set_error_handler(function ($level, $message) use (&$said) { $said .= $message; return true; });
$started = session_start();
echo phpversion("memcached"), $started ? " started" : " failed: $said";`

function startSession(phpMajor: number): string {
  const credentials = { servers: `${server.host}:${server.port}` }
  const plan = planFor(
    [{ name: 'memcached-sessions', credentials }],
    {},
    { major: phpMajor, maxExecutionSeconds: 30 },
  )
  return runPhp(`${EXTENSIONS}${renderIni(plan.directives)}`, SESSION).toString()
}

test('php-memcached 3 refuses the PERSISTENT= form that PHP 5 needs, and takes ours', () => {
  expect(startSession(5)).toMatch(/^3\..* failed: .*PERSISTENT is replaced by memcached.sess_persistent = On/)
  expect(startSession(8)).toMatch(/^3\..* started$/)
})
