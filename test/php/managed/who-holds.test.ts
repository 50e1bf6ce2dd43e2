import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { askFpm, cookieIn } from '../../../lab/php/fastcgi.ts'
import { startFpm } from '../../../lab/php/fpm.ts'
import { LOCKING_STORES, type LockingStore, startRow } from '../../support/php/locking-stores.ts'
import { configureManaged } from '../../support/php/managed.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'

const GO = `while (!file_exists($_GET['go'])) { usleep(1000); clearstatcache(); }`
const PAGES = {
  count: `session_start(); echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;`,
  hold: `session_start(); ${GO} echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;`,
}
const ENV = { CF_INSTANCE_INDEX: '3', PHP_SESSIONS_SLOW_WAIT: '0.2' }

/** A visitor in php-fpm. */
async function start(
  underTest: PhpUnderTest,
  { service, lock, waiting }: LockingStore,
  env: Readonly<Record<string, string>> = {},
) {
  const ini = configureManaged(underTest, service, { ...ENV, ...env })
  const fpm = await startFpm({
    php: underTest.php,
    ini: (directory) => `${ini}error_log=${directory}/php.log\n`,
    pools: [{ workers: 6, lines: ['clear_env = no'] }],
    env: ENV,
    pages: PAGES,
  })
  onTestFinished(fpm.stop)
  const cookie = cookieIn(await fpm.ask('count')) ?? ''
  const id = cookie.split('=')[1] ?? ''
  const [go, logFile] = [join(fpm.directory, 'go'), join(fpm.directory, 'php.log')]
  const ask = (page: keyof typeof PAGES, method = 'GET', uri = `/${page}`) =>
    askFpm(fpm.ports[0] ?? 0, join(fpm.directory, `${page}.php`), cookie, {
      REQUEST_METHOD: method,
      REQUEST_URI: uri,
      QUERY_STRING: `go=${go}`,
    })
  const untilIt = async (what: string, holds: () => Promise<boolean>) => {
    for (let tries = 0; !(await holds()); tries++) {
      if (tries > 600) throw new Error(`waited 30 s for ${what}`)
      await sleep(50)
    }
  }
  return {
    ask,
    id,
    untilHeld: () => untilIt('the lock', async () => (await lock(id)) !== ''),
    untilWaiting: (count: number) => untilIt('a wait', async () => (await waiting(id)) === count),
    release: () => writeFileSync(go, ''),
    /** What php-sessions has written, without the times at which it did. */
    log: () => {
      const lines = existsSync(logFile) ? readFileSync(logFile, 'utf8').trimEnd().split('\n') : []
      return lines.map((line) => line.replace(/^\[[^\]]+\] php-sessions: /, ''))
    },
  }
}

const seconds = String.raw`\d+\.\d s`

describe.each(PHPS)('%s', (_name, underTest) => {
  describe.each(LOCKING_STORES)('%s', (_store, startStore) => {
    test('a request that waited for longer than PHP_SESSIONS_SLOW_WAIT says in the log what held its session', async () => {
      const store = await startStore()
      const { ask, id, untilHeld, untilWaiting, release, log } = await start(underTest, store)
      const token = '8f14e45fceea167a5a36dedd4bea2543'
      const holder = ask('hold', 'POST', `/export/${token}?secret=yes`)
      await untilHeld()
      const waiter = ask('count', 'GET', `/poll/${id};jsessionid=${token}`)
      await untilWaiting(1)
      await sleep(300)
      expect(await store.lock(id)).toMatch(/[ !]\d{13}\|3\|\d+\|POST\|\/export\/\*( |$)/)
      release()
      expect([await holder, await waiter].map((page) => /\d+$/.exec(page)?.[0])).toEqual(['2', '3'])
      const said = `a request waited ${seconds} for its session: GET /poll/\\*\\*, behind POST /export/\\* \\(instance 3, process \\d+, for ${seconds}\\)`
      expect(log()).toEqual([expect.stringMatching(`^${said}$`)])
    })

    test('the 503 after too long a wait and the 429 of one too many name in the log what holds the session, and not in the page', async () => {
      const env = { PHP_SESSIONS_MAX_WAIT: '1', PHP_SESSIONS_MAX_WAITING: '1', PHP_SESSIONS_SLOW_WAIT: '0' }
      const { ask, untilHeld, untilWaiting, release, log } = await start(underTest, await startStore(), env)
      const holder = ask('hold', 'PUT', '/cart')
      await untilHeld()
      const tooLong = ask('count', 'GET', '/first')
      await untilWaiting(1)
      const refused = [await ask('count', 'GET', '/second'), await tooLong]
      expect(refused.map((answer) => /^Status: (\d+)/.exec(answer)?.[1])).toEqual(['429', '503'])
      expect(refused.join()).not.toMatch(/cart|instance/)
      release()
      await holder
      const behind = `behind PUT /cart \\(instance 3, process \\d+, for ${seconds}\\)$`
      expect(log()).toEqual([
        expect.stringMatching(`PHP_SESSIONS_MAX_WAITING.*: GET /second, ${behind}`),
        expect.stringMatching(`PHP_SESSIONS_MAX_WAIT\\): GET /first, ${behind}`),
      ])
    })
  })

  test('a shorter wait is no line, and PHP_SESSIONS_SLOW_WAIT=0 is never one', async () => {
    const store = await startRow(0)
    for (const limit of ['0', '60']) {
      const env = { PHP_SESSIONS_SLOW_WAIT: limit }
      const { ask, untilHeld, untilWaiting, release, log } = await start(underTest, store, env)
      const asked = [ask('hold')]
      await untilHeld()
      asked.push(ask('count'))
      await untilWaiting(1)
      await sleep(300)
      release()
      await Promise.all(asked)
      expect(log()).toEqual([])
    }
  })

  test.each([
    ['phpredis', 0, 'web-1.example|4711', "PHP's own handler (host web-1.example, process 4711, for"],
    ['an earlier version', 0, '0123456789abcdef@10.0.0.1:6379', 'an unidentified request (for'],
    ['php-memcached', 2, '1', "PHP's own handler (for"],
    ['an earlier version', 2, '0123456789', 'an unidentified request (for'],
  ])('the lock of %s, row %i of the stores, is named, too', async (_whose, row, text, named) => {
    const store = await startRow(row)
    const { ask, id, log } = await start(underTest, store, { PHP_SESSIONS_MAX_WAIT: '1' })
    await store.setLock(id, text)
    expect(await ask('count')).toContain('Status: 503')
    expect(log()).toEqual([expect.stringContaining(`: GET /count, behind ${named}`)])
  })
})
