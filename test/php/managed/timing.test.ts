import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { cookieIn } from '../../../lab/php/fastcgi.ts'
import { startFpm } from '../../../lab/php/fpm.ts'
import { startRow } from '../../support/php/locking-stores.ts'
import { configureManaged } from '../../support/php/managed.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'

const PAGES = {
  plain: `session_start(); echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;`,
  none: `echo 'no session';`,
  own: `header('Server-Timing: db;dur=5'); session_start(); header('Server-Timing: cache;desc="hit"', false);`,
  replaced: `session_start(); $_SESSION['n'] = 1; header('Server-Timing: db;dur=5');`,
  closed: `session_start(['read_and_close' => true]); echo 'read';`,
  early: `session_start(); while (ob_get_level()) ob_end_flush(); echo 'early'; flush(); $_SESSION['n'] = 7; echo error_get_last()['message'] ?? '';`,
  hold: `session_start(); usleep(400000);`,
}

async function start(underTest: PhpUnderTest, row: number, timing: 'on' | 'off') {
  const store = await startRow(row)
  const ini = configureManaged(underTest, store.service, { PHP_SESSIONS_TIMING: timing })
  const pools = [{ workers: 3 }]
  const fpm = await startFpm({ php: underTest.php, ini: () => ini, pools, env: {}, pages: PAGES })
  onTestFinished(fpm.stop)
  const cookie = cookieIn(await fpm.ask('plain')) ?? ''
  /** What a page says in its headers called Server-Timing. */
  const timings = async (page: keyof typeof PAGES) => {
    const answer = await fpm.ask(page, cookie)
    return [...answer.matchAll(/^Server-Timing: (.*?)\r?$/gim)].map(([, value]) => value)
  }
  return { fpm, cookie, store, timings }
}

const COST = /^session;dur=\d+\.\d$/

describe.each(PHPS)('%s', (_name, underTest) => {
  test.each([0, 2])(
    'PHP_SESSIONS_TIMING=on says what a session has cost, beside what the app says, in store %i',
    async (row) => {
      const { timings, fpm, cookie } = await start(underTest, row, 'on')
      expect(await timings('plain')).toEqual([expect.stringMatching(COST)])
      expect(await timings('none')).toEqual([])
      expect(await timings('own')).toEqual(['db;dur=5', 'cache;desc="hit"', expect.stringMatching(COST)])
      expect(await timings('replaced')).toEqual(['db;dur=5', expect.stringMatching(COST)])
      expect(await timings('closed')).toEqual([expect.stringMatching(COST)])
      expect(await timings('early')).toEqual([expect.stringMatching(COST)])
      expect(await fpm.ask('early', cookie)).toMatch(/early$/)
      expect((await fpm.ask('plain', cookie)).endsWith('8')).toBe(true)
    },
  )

  test.each([0, 2])('it says how long the request waited for its turn, in store %i', async (row) => {
    const { timings, fpm, cookie, store } = await start(underTest, row, 'on')
    const holder = fpm.ask('hold', cookie)
    const id = cookie.split('=')[1] ?? ''
    for (let tries = 0; (await store.lock(id)) === '' && tries < 600; tries++) await sleep(20)
    const [said = ''] = await timings('plain')
    await holder
    const [, cost, wait] = /^session;dur=([\d.]+);desc="waited (\d+) ms"$/.exec(said) ?? []
    expect(Number(wait)).toBeGreaterThan(0)
    expect(Number(cost)).toBeGreaterThanOrEqual(Number(wait) - 1)
  })

  test('without it there is no such header', async () => {
    const { timings } = await start(underTest, 0, 'off')
    expect(await timings('plain')).toEqual([])
    expect(await timings('own')).toEqual(['db;dur=5', 'cache;desc="hit"'])
  })
})
