import { describe, expect, test } from 'vitest'
import { CANARY, type Service, showsCanary } from '../../../lab/bindings.ts'
import { everyRight } from '../../../lab/redis/release.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { configure } from '../../support/php/configured.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'
import { unpackedExtensionTests } from '../../support/php/suites/extension-tests.ts'
import { type PhpredisResult, runPhpredisTests } from '../../support/php/suites/phpredis-suite.ts'

const NO_POLLING = 'requests wait in a queue: they neither poll nor count their tries'
const FIXED_LIFE = 'a lock lives as long as php-sessions has configured'

/** The tests that the native handler passes and the managed one fails, with the reason. */
const NOT_FOR_MANAGED: Readonly<Record<string, string>> = {
  testSession_correctLockRetryCount: `redis.session.lock_retries: ${NO_POLLING}`,
  testSession_defaultLockRetryCount: `redis.session.lock_retries: ${NO_POLLING}`,
  testSession_lockWaitTime: `redis.session.lock_wait_time: ${NO_POLLING}; the test wants 3 s, it takes 1 s`,
  testSession_lock_ttlMaxExecutionTime: `max_execution_time set at run time: ${FIXED_LIFE}`,
  testSession_lock_ttlLockExpire: `redis.session.lock_expire: ${FIXED_LIFE}`,
  testSession_lockHoldCheckBeforeWrite_nobodyHasLock: `redis.session.lock_expire: ${FIXED_LIFE}`,
}

/** Those of phpredis that its own handler fails as php-sessions configures it, so that they say nothing. */
const NOT_FOR_NATIVE: Readonly<Record<string, string>> = {
  testSession_lockingDisabledByDefault:
    'php-sessions turns locking on; phpredis 5 tests that the default is off',
}

/** The user as whom the tests look into Redis; the sessions have the canary. */
const TESTS_USER = { user: 'tests', password: 'tests' }
/**
 * Tests of which some have a handler that calls SessionHandler: the native one, which needs a path with the login. The
 * runner also runs the tests whose names begin like the wanted one's.
 */
const OF_SESSION_HANDLER = 'testSession_regenerateSessionId_'
/** The tests choose ids that no session has yet. */
const OF_THE_TESTS = 'session.use_strict_mode = 0\n'

async function runWith(php: PhpUnderTest, folder: string, handler: 'managed' | 'native') {
  const { user, password } = TESTS_USER
  const redis = await startRedis({
    password: CANARY,
    lines: [`user ${user} on >${password} ${everyRight({}).join(' ')}`],
  })
  try {
    const { host, port } = redis
    const service: Service = { name: 'redis-sessions', credentials: { host, port, password: CANARY } }
    // The tests compare all that PHP prints, its log too, in which a long wait has a line.
    const slowWait = handler === 'managed' ? { PHP_SESSIONS_SLOW_WAIT: '0' } : {}
    const { ini, plan } = configure(php, service, { PHP_SESSIONS_HANDLER: handler, ...slowWait })
    const native = configure(php, service, { PHP_SESSIONS_HANDLER: 'native' }).ini
    const [savePath = ''] = /^session\.save_path = .*\n/m.exec(native) ?? []
    const iniFor = (test: string) =>
      ini + OF_THE_TESTS + (test.startsWith(OF_SESSION_HANDLER) ? savePath : '')
    return await runPhpredisTests(folder, php.php, plan.extensions, iniFor, { port, ...TESTS_USER })
  } finally {
    await redis.stop()
  }
}

const namesOf = (results: readonly PhpredisResult[], isWanted: (result: PhpredisResult) => boolean) =>
  results.filter(isWanted).map(({ test }) => test)
const hasFailed = ({ status }: PhpredisResult) => status !== 'PASSED' && status !== 'SKIPPED'
/** The output of tests that failed, for who reads the log. */
const outputOf = (results: readonly PhpredisResult[], names: readonly string[]) =>
  results.filter(({ test }) => names.includes(test)).map(({ output }) => output)

describe.each(PHPS)('%s', (name, php) => {
  test('of phpredis’ session tests, managed fails only those that are listed, and shows no password', async ({
    skip,
  }) => {
    const [, major = ''] = /phpredis (\d+)/.exec(name) ?? []
    const folder = unpackedExtensionTests(`php-redis-${major}`)
    if (typeof folder !== 'string') return skip(folder.unavailable)
    const [native, managed] = await Promise.all([
      runWith(php, folder, 'native'),
      runWith(php, folder, 'managed'),
    ])
    expect(native.length).toBeGreaterThan(20)
    const failedByNative = namesOf(native, hasFailed).filter((test) => !(test in NOT_FOR_NATIVE))
    expect(outputOf(native, failedByNative)).toEqual([])

    const failed = namesOf(managed, hasFailed)
    const unlisted = failed.filter((test) => !(test in NOT_FOR_MANAGED) && !(test in NOT_FOR_NATIVE))
    expect(outputOf(managed, unlisted)).toEqual([])
    // A reason that holds no longer does not stay.
    expect(Object.keys(NOT_FOR_MANAGED).filter((test) => !failed.includes(test))).toEqual([])
    expect(namesOf(managed, ({ output }) => showsCanary(output))).toEqual([])
  })
})
