import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Service } from '../../../lab/bindings.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import type { Redis } from '../../../lab/redis/options.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { configureManaged } from '../../support/php/managed.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'
import { isExpected, type PhptResult, parsePhpt, runPhpt } from '../../support/php/phpt.ts'

const CACHE = join(import.meta.dirname, '../../../.cache')
const TESTS = join(CACHE, 'php-tests/tests')
const REASON = join(CACHE, 'php-tests.reason')
const unavailable = existsSync(TESTS)
  ? undefined
  : existsSync(REASON)
    ? readFileSync(REASON, 'utf8').trim()
    : 'scripts/php-tests has not run'

/** What managed fails and the trivial handler passes, with the reason. */
const EXCEPTIONS: Readonly<Record<string, string>> = {}

/** A handler as simple as it can be, over files. */
const TRIVIAL = `<?php
final class Trivial implements SessionHandlerInterface {
  private string $path = '';
  public function open(string $path, string $name): bool { $this->path = $path; return true; }
  public function close(): bool { return true; }
  public function read(string $id): string { return (string) @file_get_contents("$this->path/sess_$id"); }
  public function write(string $id, string $data): bool { return file_put_contents("$this->path/sess_$id", $data) !== false; }
  public function destroy(string $id): bool { @unlink("$this->path/sess_$id"); return true; }
  public function gc(int $max): int { return 0; }
}
session_set_save_handler(new Trivial, true);
`

/** As many run at once, each with a directory, and a database, of its own. */
const WORKERS = 4

const HANDLERS = ['trivial', 'managed'] as const
type HandlerName = (typeof HANDLERS)[number]

/** Of what a start configures, only the handler: the rest is as PHP's tests expect it. */
function handlerOnly(ini: string): string {
  return ini
    .split('\n')
    .filter((line) => !/^session\.(?!save_|upload_progress)/.test(line))
    .join('\n')
}

/**
 * The ini for a handler, and another one. The managed handler does not read session.save_path, but the handlers in PHP's
 * tests do: some take it for a directory, others extend SessionHandler, which is the native handler here.
 */
function inisOf(which: HandlerName, underTest: PhpUnderTest, service: Service): readonly string[] {
  const path = `session.save_path=${makeScratch('sessions')}\n`
  const files = `session.save_handler=files\n${path}`
  const prepend = join(makeScratch('trivial'), 'prepend.php')
  writeFileSync(prepend, TRIVIAL)
  if (which === 'trivial') return [`${files}auto_prepend_file=${prepend}\n`]
  const managed = handlerOnly(configureManaged(underTest, service))
  return [managed, managed + path]
}

const names =
  unavailable === undefined ? readdirSync(TESTS).flatMap((file) => /(.+)\.phpt$/.exec(file)?.[1] ?? []) : []

async function runAll(
  underTest: PhpUnderTest,
  which: HandlerName,
  redis: Redis,
): Promise<ReadonlyMap<string, PhptResult>> {
  const queue = [...names]
  const results = new Map<string, PhptResult>()
  const saidBySkip = new Map<string, string>()
  const work = async (database: number) => {
    const credentials = { host: redis.host, port: redis.port, database }
    const inis = inisOf(which, underTest, { name: 'redis-sessions', credentials })
    const directory = join(makeScratch('phpt'), 'tests')
    mkdirSync(directory)
    cpSync(TESTS, directory, { recursive: true })
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      for (const ini of inis) {
        if (which === 'managed') redis.cli('-n', String(database), 'FLUSHDB')
        const result = await runPhpt(underTest.php, directory, name, ini, saidBySkip)
        results.set(name, result)
        if (result.kind !== 'failed') break
      }
    }
  }
  await Promise.all(Array.from({ length: WORKERS }, (_, database) => work(database)))
  return results
}

const reasonOf = (result: PhptResult) => (result.kind === 'skipped' ? [result.reason] : [])
const KINDS = ['passed', 'failed', 'skipped'] as const
/** Two processes for each of hundreds of tests, on a machine that may be busy. */
const HANG_MILLISECONDS = 600_000

const having = (results: ReadonlyMap<string, PhptResult>, kind: PhptResult['kind']) =>
  [...results].flatMap(([name, result]) => (result.kind === kind ? [name] : [])).sort()

describe.skipIf(unavailable !== undefined)(
  `PHP's own tests${unavailable === undefined ? '' : `: ${unavailable}`}`,
  () => {
    test.each(PHPS)(
      '%s: managed fails nothing that a trivial handler passes',
      async (_name, underTest) => {
        // Handlers that extend SessionHandler are on top of the native one, which could not log in.
        const redis = await startRedis({})
        onTestFinished(redis.stop)
        const all = new Map<HandlerName, ReadonlyMap<string, PhptResult>>()
        for (const which of HANDLERS) {
          const results = await runAll(underTest, which, redis)
          all.set(which, results)
          const counts = KINDS.map((kind) => `${having(results, kind).length} ${kind}`)
          console.log(`${which}: ${counts.join(', ')}`)
        }
        const notRun = new Set([...(all.get('managed')?.values() ?? [])].flatMap(reasonOf))
        console.log(`not run: ${[...notRun].join('; ')}`)
        const [trivial = new Map(), managed = new Map()] = [all.get('trivial'), all.get('managed')]
        const passed = having(trivial, 'passed')
        const worse = having(managed, 'failed').filter((name) => passed.includes(name))
        expect(worse).toEqual(Object.keys(EXCEPTIONS))
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
