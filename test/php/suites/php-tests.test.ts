import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Service } from '../../../lab/bindings.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { configureManaged, startRedisService } from '../../support/php/managed.ts'
import { startMemcachedService } from '../../support/php/managed-memcached.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'
import { isExpected, type PhptResult, parsePhpt } from '../../support/php/suites/phpt.ts'
import { type PhptWorker, phptNames, phptsThat, runPhptSuite } from '../../support/php/suites/phpt-suite.ts'
import { trivialIni } from '../../support/php/suites/trivial-handler.ts'

const CACHE = join(import.meta.dirname, '../../../.cache')
const TESTS = join(CACHE, 'php-tests/tests')
const REASON = join(CACHE, 'php-tests.reason')
const unavailable = existsSync(TESTS)
  ? undefined
  : existsSync(REASON)
    ? readFileSync(REASON, 'utf8').trim()
    : 'scripts/php-tests has not run'

/** What managed fails and the trivial handler passes. A name needs a comment with the reason. */
const EXCEPTIONS: Readonly<Record<string, readonly string[]>> = {
  'managed, Redis': [],
  'managed, Memcached': [],
}

/** As many run at once, each with a directory, and a database or a server, of its own. */
const WORKERS = 4

/** Of what a start configures, only the handler: the rest is as PHP's tests expect it. */
function handlerOnly(ini: string): string {
  return ini
    .split('\n')
    .filter((line) => !/^session\.(?!save_|upload_progress)/.test(line))
    .join('\n')
}

/**
 * The managed handler does not read session.save_path, but the handlers in PHP's tests do: some take it for a directory,
 * others extend SessionHandler, which is the native handler here, and could not log in.
 */
function managedWorker(underTest: PhpUnderTest, service: Service, empty: () => unknown): PhptWorker {
  const managed = handlerOnly(configureManaged(underTest, service))
  return { inis: [managed, `${managed}session.save_path=${makeScratch('sessions')}\n`], empty }
}

const HANDLERS: Readonly<Record<string, (underTest: PhpUnderTest) => Promise<readonly PhptWorker[]>>> = {
  trivial: async () => Array.from({ length: WORKERS }, () => ({ inis: [trivialIni()], empty: () => {} })),
  'managed, Redis': async (underTest) => {
    const { redis, service } = await startRedisService({ password: undefined })
    return Array.from({ length: WORKERS }, (_, database) => {
      const credentials = { host: redis.host, port: redis.port, database }
      const empty = () => redis.cli('-n', String(database), 'FLUSHDB')
      return managedWorker(underTest, { ...service, credentials }, empty)
    })
  },
  'managed, Memcached': (underTest) =>
    Promise.all(
      Array.from({ length: WORKERS }, async () => {
        const { service, client } = await startMemcachedService()
        return managedWorker(underTest, service, client.flush)
      }),
    ),
}

const reasonOf = (result: PhptResult) => (result.kind === 'skipped' ? [result.reason] : [])
const KINDS = ['passed', 'failed', 'skipped'] as const
/** Two processes for each of hundreds of tests, on a machine that may be busy. */
const HANG_MILLISECONDS = 600_000

describe.skipIf(unavailable !== undefined)(
  `PHP's own tests${unavailable === undefined ? '' : `: ${unavailable}`}`,
  () => {
    test.each(PHPS)(
      '%s: managed fails nothing that a trivial handler passes',
      async (_name, underTest) => {
        const run = async (handler: string, names: readonly string[]) => {
          const workers = (await HANDLERS[handler]?.(underTest)) ?? []
          const results = await runPhptSuite(underTest.php, TESTS, names, workers)
          console.log(
            `${handler}: ${KINDS.map((kind) => `${phptsThat(kind, results).length} ${kind}`).join(', ')}`,
          )
          return results
        }
        const trivial = await run('trivial', phptNames(TESTS))
        console.log(`not run: ${[...new Set([...trivial.values()].flatMap(reasonOf))].join('; ')}`)
        const passed = phptsThat('passed', trivial)
        const worse: Record<string, readonly string[]> = {}
        for (const handler of Object.keys(EXCEPTIONS)) {
          const results = await run(handler, passed)
          worse[handler] = passed.filter((name) => results.get(name)?.kind !== 'passed')
        }
        expect(worse).toEqual(EXCEPTIONS)
        expect(passed.length).toBeGreaterThan(100)
      },
      HANG_MILLISECONDS,
    )
  },
)

describe('the runner of PHP’s tests', () => {
  const phpt = (section: string, text: string) =>
    parsePhpt(`--TEST--\nx\n--FILE--\n<?php\n--${section}--\n${text}\n`)
  test.each([
    ['EXPECT', 'a\nb', 'a\r\nb \n', true],
    ['EXPECT', 'a', 'ab', false],
    ['EXPECTF', 'in %s on line %d', 'in /x/y.php on line 12', true],
    ['EXPECTF', 'in %s on line %d', 'in /x/y.php on line x', false],
    ['EXPECTF', '[%S] %r(a|b)%r', '[] b', true],
    ['EXPECTF', 'a%Az', 'a\n\nz', true],
    ['EXPECTREGEX', 'a+', 'aaa', true],
  ])('%s %j is met by %j: %j', (section, expected, output, isMet) => {
    expect(isExpected(phpt(section, expected), output)).toBe(isMet)
  })
})
