import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { InstalledPhp } from '../../../../lab/php/installed.ts'
import { startContained } from '../../../../lab/processes/contained.ts'
import { makeScratch } from '../../../../lab/processes/scratch.ts'

/** How phpredis' test runner reaches the Redis in which its tests look for their sessions. */
export interface Access {
  readonly port: number
  readonly user: string
  readonly password: string
}

/** What phpredis' test runner prints about one test: PASSED, FAILED or SKIPPED; CRASHED is without a result. */
export interface PhpredisResult {
  readonly test: string
  readonly status: string
  readonly output: string
}

/** The scripts that the tests start, one process for each request. */
const REQUESTS = ['startSession.php', 'regenerateSessionId.php', 'getSessionData.php']
/** Most of the time the tests sleep, but some measure how long they wait. */
const AT_A_TIME = 4

/**
 * Runs phpredis' session tests. Each of their requests is PHP with nothing but the ini for the test.
 *
 * The requests of the tests choose the save handler and the save path at run time. These two lines are left out, so that
 * those of the ini count; whatever else a test sets stays.
 */
export async function runPhpredisTests(
  folder: string,
  { cli }: InstalledPhp,
  extensions: readonly string[],
  iniFor: (test: string) => string,
  access: Access,
): Promise<readonly PhpredisResult[]> {
  const directory = makeScratch('phpredis')
  const tests = join(directory, 'tests')
  cpSync(folder, tests, { recursive: true })
  for (const name of REQUESTS) leaveChoiceToIni(join(tests, name))
  const environmentOf = (test: string) => {
    const own = join(directory, test)
    mkdirSync(own)
    writeFileSync(join(own, 'php.ini'), iniFor(test))
    const request = cli(['-c', own])
    return {
      ...request.env,
      PHP_INI_SCAN_DIR: join(directory, 'none'),
      TMPDIR: own,
      TEST_PHP_EXECUTABLE: request.file,
      TEST_PHP_ARGS: request.args.map((arg) => `'${arg}'`).join(' '),
    }
  }
  const login = [
    '--host',
    '127.0.0.1',
    '--port',
    String(access.port),
    '--user',
    access.user,
    '--auth',
    access.password,
  ]
  const runner = [
    '-n',
    ...extensions.flatMap((name) => ['-d', `extension=${name}`]),
    join(tests, 'TestRedis.php'),
    '--nocolors',
    ...login,
  ]

  const waiting = sessionTests(tests)
  const results: PhpredisResult[] = []
  const runOneByOne = async () => {
    for (let test = waiting.shift(); test !== undefined; test = waiting.shift()) {
      const { file, args } = cli([...runner, '--test', test])
      const running = startContained({ file, args, env: environmentOf(test), cwd: directory, ordered: true })
      await running.exited
      const output = running.log()
      // Between the name and the status PHP may print deprecations: the tests are older than it.
      const [, status = 'CRASHED'] = new RegExp(`^${test} [^]*?\\[([A-Z]+)\\]$`, 'm').exec(output) ?? []
      results.push({ test, status, output })
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, runOneByOne))
  return results.sort((a, b) => (a.test < b.test ? -1 : 1))
}

function sessionTests(tests: string): string[] {
  const source = readFileSync(join(tests, 'RedisTest.php'), 'utf8')
  return [...source.matchAll(/function (testSession_\w+)\(/g)].map(([, name = '']) => name)
}

function leaveChoiceToIni(path: string): void {
  const source = readFileSync(path, 'utf8')
  const lines = source.replace(/^ini_set\('session\.save_(?:handler|path)'.*\n/gm, '')
  if (source.split('\n').length !== lines.split('\n').length + 2)
    throw new Error(`${path} sets the handler in another way`)
  writeFileSync(path, lines)
}
