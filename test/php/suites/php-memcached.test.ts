import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { showsCanary } from '../../../lab/bindings.ts'
import type { MemcachedOptions } from '../../../lab/servers/memcached.ts'
import { configure } from '../../support/php/configured.ts'
import { MEMCACHED_SERVERS, startMemcachedService } from '../../support/php/managed-memcached.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'
import { unpackedExtensionTests } from '../../support/php/suites/extension-tests.ts'
import { phptNames, phptsThat, runPhptSuite } from '../../support/php/suites/phpt-suite.ts'

/** The port that the tests expect of a server. */
const TESTS_PORT = /\b11211\b/g

/** The tests that the native handler passes and the managed one fails, with the reason. */
const NOT_FOR_MANAGED: Readonly<Record<string, string>> = {
  'session_badconf_servers-php72': 'an empty session.save_path, set at run time, is not read',
  'session_lock-php71':
    'the lock has the token of its owner, and requests wait in a line, not by sess_lock_*',
}

/** Those that PHP's own handler may fail, so that they say nothing of the managed one. */
const NOT_FOR_NATIVE: Readonly<Record<string, string>> = {
  'session_lock-php71': 'it wants 2.5 s to the tenth, whatever else the machine does',
  session_badconf_persistent: 'its session.save_path is left out: that of php-sessions counts',
}

/** Runs them with the settings of a start, and then a test's own. */
async function runWith(php: PhpUnderTest, folder: string, handler: string, which: MemcachedOptions) {
  const { server, service, client } = await startMemcachedService(which)
  const env = { PHP_SESSIONS_HANDLER: handler, PHP_SESSIONS_PREFIX: 'memc.test.', PHP_SESSIONS_MAX_WAIT: '1' }
  const { ini } = configure(php, service, env)
  const prepare = (directory: string) => {
    for (const name of readdirSync(directory)) {
      const text = readFileSync(join(directory, name), 'latin1')
      writeFileSync(join(directory, name), text.replace(TESTS_PORT, String(server.port)), 'latin1')
    }
    // It would skip them all where it has no login.
    writeFileSync(join(directory, 'skipif.inc'), '')
  }
  const names = phptNames(folder).filter((name) => name.startsWith('session_'))
  return runPhptSuite(php.php, folder, names, [{ inis: [ini], empty: client.flush, prepare }])
}

describe.each(PHPS)('%s', (_name, php) => {
  test('of php-memcached’s session tests, managed fails only those that are listed, and shows no password', async ({
    skip,
  }) => {
    const folder = unpackedExtensionTests('php-memcached-3')
    if (typeof folder !== 'string') return skip(folder.unavailable)
    const native = await runWith(php, folder, 'native', {})
    expect(phptsThat('failed', native).filter((name) => !(name in NOT_FOR_NATIVE))).toEqual([])
    expect(phptsThat('passed', native).length).toBeGreaterThan(6)
    // The protocol is no matter of PHP's version.
    for (const [, which] of MEMCACHED_SERVERS.slice(0, php === PHPS[0]?.[1] ? undefined : 1)) {
      const managed = await runWith(php, folder, 'managed', which)
      const failed = phptsThat('failed', managed)
      // A reason that holds no longer does not stay.
      expect(failed.filter((name) => name in NOT_FOR_MANAGED || !(name in NOT_FOR_NATIVE))).toEqual(
        Object.keys(NOT_FOR_MANAGED),
      )
      const outputs = [...managed.values()].flatMap((result) => ('output' in result ? [result.output] : []))
      expect(outputs.filter(showsCanary)).toEqual([])
    }
  })
})
