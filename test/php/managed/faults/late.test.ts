import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CANARY, type Service } from '../../../../lab/bindings.ts'
import { makeScratch } from '../../../../lab/processes/scratch.ts'
import { until } from '../../../../lab/processes/until.ts'
import { startSentinels } from '../../../../lab/redis/sentinel.ts'
import { startRedis } from '../../../../lab/redis/server.ts'
import { startLateRelay } from '../../../support/php/late-relay.ts'
import { configureManaged } from '../../../support/php/managed.ts'
import { PHPS, type PhpUnderTest } from '../../../support/php/php.ts'
import { startPhpWeb } from '../../../support/php/web.ts'

// What test/model finds in every order of events, here in one order with a real server.

const PAGE = `<?php session_start();
  if (isset($_GET['destroy'])) { session_destroy(); exit('destroyed'); }
  if (isset($_GET['regenerate'])) session_regenerate_id(true);
  echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;
  while (isset($_GET['until']) && !file_exists($_GET['until'])) { usleep(1000); clearstatcache(); }`
/** Words that only this command has. */
const TAKE = '\r\nfirst\r\n'
const RELEASE = '\r\nset\r\n'

async function startWeb(underTest: PhpUnderTest, service: Service, workers = 1) {
  const ini = `${configureManaged(underTest, service)}output_buffering=4096\n`
  const web = await startPhpWeb(underTest, ini, PAGE, workers)
  onTestFinished(web.stop)
  const ask = async (cookie: string, query = '') => {
    const response = await fetch(`${web.url}${query}`, { headers: { cookie } })
    const given = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie
    return { status: response.status, text: await response.text(), cookie: given }
  }
  // The worker is then connected and logged in.
  const { cookie } = await ask('')
  return { ask, cookie, log: web.log }
}

async function startOnRelay(underTest: PhpUnderTest) {
  const redis = await startRedis({ password: CANARY })
  onTestFinished(redis.stop)
  const relay = await startLateRelay(redis.port)
  const credentials = { host: '127.0.0.1', port: relay.port, password: CANARY }
  const web = await startWeb(underTest, { name: 'redis-sessions', credentials })
  const keyOf = (cookie: string) => `PHPREDIS_SESSION:${cookie.split('=')[1]}`
  const keys = () =>
    redis
      .cli('KEYS', '*')
      .split('\n')
      .filter((key) => key !== '' && key !== keyOf(web.cookie))
  return { redis, relay, keyOf, keys, ...web }
}

const LATE = 'the command is late'
const LOST = 'the reply is lost'

describe.each(PHPS)('%s', (_name, underTest) => {
  test('a destroyed session does not come back with a RELEASE that arrives late', async () => {
    const { relay, ask, redis, keyOf } = await startOnRelay(underTest)
    relay.lose(RELEASE, LATE)
    const created = await ask('')
    expect(created).toMatchObject({ status: 200, text: '1' })
    expect((await ask(created.cookie, '?destroy')).text).toBe('destroyed')
    await relay.deliver()
    expect(redis.cli('EXISTS', keyOf(created.cookie))).toBe('0')
  })

  test('nor with one whose reply is lost', async () => {
    const { relay, ask, redis, keys } = await startOnRelay(underTest)
    relay.lose(RELEASE, LOST, () => keys().map((key) => redis.cli('DEL', key)))
    expect((await ask('')).status).toBe(503)
    expect(keys().filter((key) => !key.includes('_DONE_'))).toEqual([])
  })

  test('nor the old one after session_regenerate_id', async () => {
    const { relay, ask, redis, keyOf } = await startOnRelay(underTest)
    relay.lose(RELEASE, LATE)
    const { cookie: old } = await ask('')
    const { cookie, text } = await ask(old, '?regenerate')
    expect(text).toBe('2')
    await relay.deliver()
    expect(redis.cli('EXISTS', keyOf(old))).toBe('0')
    expect((await ask(cookie)).text).toBe('3')
  })

  test('a TAKE that arrives when its request has ended locks for nobody', async () => {
    const { relay, ask, cookie, redis, keyOf } = await startOnRelay(underTest)
    relay.lose(TAKE, LATE)
    expect((await ask(cookie)).text).toBe('2')
    await relay.deliver()
    expect(redis.cli('EXISTS', `${keyOf(cookie)}_LOCK`)).toBe('0')
    expect((await ask(cookie)).text).toBe('3')
  })

  test('a change whose reply is lost is kept once, and nothing is logged', async () => {
    const { relay, ask, cookie, log } = await startOnRelay(underTest)
    relay.lose(RELEASE, LOST)
    expect(await ask(cookie)).toMatchObject({ status: 200, text: '2' })
    expect((await ask(cookie)).text).toBe('3')
    expect(log()).not.toContain('php-sessions: ')
  })

  test('if others have written before the second try, the log says that it is not known', async () => {
    const { relay, ask, cookie, redis, keyOf, log } = await startOnRelay(underTest)
    relay.lose(RELEASE, LOST, () => redis.cli('SET', keyOf(cookie), 'n|i:70;'))
    expect((await ask(cookie)).status).toBe(503)
    await until('a line in the log', () => log().includes('php-sessions: '))
    expect(log()).toMatch(
      /connection was lost while the session .* nobody knows whether its changes are kept/,
    )
    expect((await ask(cookie)).text).toBe('71')
  })

  test('a mark is left only after a lost connection, for a minute', async () => {
    const { relay, ask, cookie, redis, keyOf } = await startOnRelay(underTest)
    await ask(cookie)
    expect(redis.cli('KEYS', '*_DONE_*')).toBe('')
    relay.lose(TAKE, LATE)
    await ask(cookie)
    const mark = redis.cli('KEYS', '*_DONE_*')
    expect(mark).toMatch(new RegExp(`^${keyOf(cookie)}_DONE_[0-9a-f]{16}$`))
    const life = Number(redis.cli('PTTL', mark))
    expect(life).toBeGreaterThan(50_000)
    expect(life).toBeLessThanOrEqual(60_000)
  })

  test('an answer of a master that was frozen, and has a successor, does not count', async () => {
    const group = await startSentinels({ password: CANARY })
    onTestFinished(group.stop)
    const sentinels = group.sentinels.map(({ host, port }) => ({ host, port }))
    const credentials = { master_name: group.masterName, password: CANARY, sentinels }
    const { ask, cookie } = await startWeb(underTest, { name: 'redis-sessions', credentials })
    const key = `PHPREDIS_SESSION:${cookie.split('=')[1]}`
    const go = join(makeScratch('go'), 'go')
    const asked = ask(cookie, `?until=${go}`)
    await until('the lock to be held', () => group.master().cli('EXISTS', `${key}_LOCK`) === '1')
    const old = group.killMaster('SIGSTOP')
    writeFileSync(go, '')
    const successor = await group.untilNewMaster()
    old.signal('SIGCONT')
    expect((await asked).status).toBe(200)
    expect(successor.cli('GET', key)).toContain('n|i:2;')
  })
})
