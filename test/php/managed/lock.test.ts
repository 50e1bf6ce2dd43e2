import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { runInParallel } from '../../../lab/load.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { until } from '../../../lab/processes/until.ts'
import { configure } from '../../support/php/configured.ts'
import { configureManaged, startClusterService, startRedisService } from '../../support/php/managed.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'
import { cookieOf, type PhpWeb, startPhpWeb } from '../../support/php/web.ts'
import { SERVERS } from '../../support/servers.ts'

const WORKERS = 10
const REQUESTS = 200
// Five milliseconds between reading and writing, as a page needs; `?hold` keeps the lock.
const PAGE = `<?php session_start(); $n = $_SESSION['n'] ?? 0; usleep(5000); $_SESSION['n'] = $n + 1; echo $n + 1;
  if (isset($_GET['hold'])) sleep(2);`

async function startWeb(underTest: PhpUnderTest, ini: string): Promise<PhpWeb> {
  const web = await startPhpWeb(underTest, ini, PAGE, WORKERS)
  onTestFinished(web.stop)
  return web
}

const visit = async (url: string, cookie: string) => {
  const response = await fetch(url, { headers: { cookie } })
  return { status: response.status, text: await response.text() }
}

async function newVisitor({ url }: PhpWeb): Promise<string> {
  const first = await fetch(url)
  await first.text()
  return cookieOf(first)
}

/** Sends the requests of one visitor, ten at a time, to these web servers in turn; gives the count of the last page. */
async function countInParallel(webs: readonly [PhpWeb, ...PhpWeb[]]): Promise<number> {
  const cookie = await newVisitor(webs[0])
  const failed: unknown[] = []
  await runInParallel(REQUESTS, WORKERS, async (i) => {
    const answer = await visit(webs[i % webs.length]?.url ?? '', cookie)
    if (answer.status !== 200) failed.push(answer)
  })
  expect(failed).toEqual([])
  return Number((await visit(webs[0].url, cookie)).text)
}

describe.each(PHPS)('%s', (_name, underTest) => {
  test.each(SERVERS)('no update of parallel requests is lost on %s', async (_server, which) => {
    const { redis, service } = await startRedisService(which)
    const web = await startWeb(underTest, configureManaged(underTest, service))
    expect(await countInParallel([web])).toBe(REQUESTS + 2)
    expect(web.log()).not.toMatch(/php-sessions|warning|error/i)
    expect(redis.cli('KEYS', '*_LOCK')).toBe('')
  })

  test.each(SERVERS)('no update of parallel requests is lost on a cluster of %s', async (_server, which) => {
    const { service } = await startClusterService(which)
    const web = await startWeb(underTest, configureManaged(underTest, service))
    expect(await countInParallel([web])).toBe(REQUESTS + 2)
    expect(web.log()).not.toMatch(/php-sessions|warning|error/i)
  })

  test('no update of parallel requests is lost when half of them use the native handler, as during a change of handlers', async () => {
    const { service } = await startRedisService()
    const managed = await startWeb(underTest, configureManaged(underTest, service))
    const native = await startWeb(underTest, configure(underTest, service).ini)
    expect(await countInParallel([managed, native])).toBe(REQUESTS + 2)
  })

  test('no update of parallel requests is lost on a server without BLPOP, as behind some proxies', async () => {
    const { service } = await startRedisService({ lines: ['rename-command BLPOP ""'] })
    const web = await startWeb(underTest, configureManaged(underTest, service))
    expect(await countInParallel([web])).toBe(REQUESTS + 2)
    expect(web.log()).not.toMatch(/php-sessions|warning|error/i)
  })

  test('a server that runs no scripts is reported in the log, with what to do', async () => {
    const { service } = await startRedisService({
      lines: ['rename-command EVALSHA ""', 'rename-command EVAL ""'],
    })
    const web = await startWeb(underTest, configureManaged(underTest, service))
    expect((await visit(web.url, '')).status).toBe(503)
    // Redis before 7 has backticks in its message.
    const needed = /['`]EVALSHA['`]: this handler needs scripts, PHP_SESSIONS_HANDLER=native does not/
    await until('the log', () => needed.test(web.log()))
  })

  test('requests take turns in the order in which they came', async () => {
    const { redis, service } = await startRedisService()
    const page = `<?php session_start(); $_SESSION['turns'][] = $_GET['turn'] ?? 'none'; echo implode(',', $_SESSION['turns']);
      while (isset($_GET['until']) && !file_exists($_GET['until'])) { usleep(1000); clearstatcache(); }`
    const web = await startPhpWeb(underTest, configureManaged(underTest, service), page, WORKERS)
    onTestFinished(web.stop)
    /** The order of the turns, and whether all requests waited before the first one tried again, after a second. */
    const queue = async () => {
      const cookie = await newVisitor(web)
      const key = `PHPREDIS_SESSION:${cookie.split('=')[1]}`
      const go = join(makeScratch('go'), 'go')
      const asked = [visit(`${web.url}?turn=0&until=${go}`, cookie)]
      await until('the lock to be held', () => redis.cli('EXISTS', `${key}_LOCK`) === '1')
      const began = Date.now()
      for (let turn = 1; turn < 6; turn++) {
        asked.push(visit(`${web.url}?turn=${turn}`, cookie))
        await until('one more to wait', () => redis.cli('ZCARD', `${key}_WAIT`) === String(turn))
      }
      writeFileSync(go, '')
      await Promise.all(asked)
      return { turns: (await visit(web.url, cookie)).text, isInTime: Date.now() - began < 1000 }
    }
    let result = await queue()
    for (let i = 0; i < 20 && !result.isInTime; i++) result = await queue()
    expect(result).toEqual({ turns: 'none,0,1,2,3,4,5,none', isInTime: true })
  })

  test('a frozen request does not hold up the requests that wait behind it, and continues when it thaws', async () => {
    const { redis, service } = await startRedisService()
    const page = `<?php if (isset($_GET['pid'])) file_put_contents($_GET['pid'], getmypid()); session_start();
      echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;
      while (isset($_GET['until']) && !file_exists($_GET['until'])) { usleep(1000); clearstatcache(); }`
    const web = await startPhpWeb(underTest, configureManaged(underTest, service), page, WORKERS)
    onTestFinished(web.stop)
    const cookie = await newVisitor(web)
    const key = `PHPREDIS_SESSION:${cookie.split('=')[1]}`
    const scratch = makeScratch('frozen')
    const [go, pidFile] = [join(scratch, 'go'), join(scratch, 'pid')]
    const holder = visit(`${web.url}?until=${go}`, cookie)
    await until('the lock to be held', () => redis.cli('EXISTS', `${key}_LOCK`) === '1')
    const first = visit(`${web.url}?pid=${pidFile}`, cookie)
    await until('it to wait', () => redis.cli('ZCARD', `${key}_WAIT`) === '1')
    const frozen = redis.cli('ZRANGE', `${key}_WAIT`, '0', '-1')
    const pid = Number(readFileSync(pidFile, 'utf8'))
    process.kill(pid, 'SIGSTOP')
    onTestFinished(() => {
      process.kill(pid, 'SIGCONT')
    })
    const second = visit(web.url, cookie)
    const waiting = () =>
      redis
        .cli('ZRANGE', `${key}_WAIT`, '0', '-1')
        .split('\n')
        .filter((token) => token !== frozen)
    await until('another one to wait', () => waiting().join('') !== '')
    writeFileSync(go, '')
    expect([await holder, await second].map(({ text }) => text)).toEqual(['2', '3'])
    process.kill(pid, 'SIGCONT')
    expect(await first).toEqual({ status: 200, text: '4' })
  })

  test('PHP_SESSIONS_LOCKING=off lets parallel requests overwrite each other', async () => {
    const { redis, service } = await startRedisService()
    const ini = configureManaged(underTest, service, { PHP_SESSIONS_LOCKING: 'off' })
    const web = await startWeb(underTest, ini)
    expect(await countInParallel([web])).toBeLessThan(REQUESTS)
    expect(redis.cli('KEYS', '*')).not.toMatch(/_(LOCK|WAIT|NEXT)/)
  })

  test('a request that has lost the lock does not overwrite the changes of another', async () => {
    const { redis, service } = await startRedisService()
    const web = await startWeb(underTest, configureManaged(underTest, service))
    const cookie = await newVisitor(web)
    const late = visit(`${web.url}?hold`, cookie)
    const key = `PHPREDIS_SESSION:${cookie.split('=')[1]}`
    await until('the lock to be held', () => redis.cli('EXISTS', `${key}_LOCK`) === '1')
    redis.cli('DEL', `${key}_LOCK`)
    for (let i = 2; i <= 4; i++) expect((await visit(web.url, cookie)).text).toBe(String(i))
    await late
    await until('a line in the log', () => web.log().includes('php-sessions: '))
    expect(web.log()).toMatch(
      /php-sessions: .* lost its lock, .* and the session has changed since: the changes of this request are not kept/,
    )
    expect((await visit(web.url, cookie)).text).toBe('5')
  })

  test.each([
    '0123456789abcdef 1764115200000|0|7|GET|/page @127.0.0.1:1',
    // Of an earlier version.
    '0123456789abcdef@127.0.0.1:1',
  ])(
    'a lock from another server, before a failover, ends five seconds after a request begins to wait for it: %s',
    async (given) => {
      const { cluster, service } = await startClusterService()
      const web = await startWeb(underTest, configureManaged(underTest, service))
      const cookie = await newVisitor(web)
      const lock = `{PHPREDIS_CLUSTER_SESSION:${cookie.split('=')[1]}}_LOCK`
      cluster.cli('SET', lock, given, 'PX', '60000')
      const asked = visit(web.url, cookie)
      await until('the request to wait', () => Number(cluster.cli('PTTL', lock)) < 5_001)
      expect(await asked).toEqual({ status: 200, text: '2' })
    },
  )

  test('at most so many requests wait as is set, one more is a status 429; requests that have gone do not count', async () => {
    const { redis, service } = await startRedisService()
    const env = { PHP_SESSIONS_MAX_WAITING: '3' }
    const web = await startWeb(underTest, configureManaged(underTest, service, env))
    const cookie = await newVisitor(web)
    const key = `PHPREDIS_SESSION:${cookie.split('=')[1]}`
    const wait = async (until: number) => {
      redis.cli('SET', `${key}_LOCK`, 'somebody', 'PX', '300')
      await redis.batch(
        Array.from({ length: 3 }, (_, i) => ['ZADD', `${key}_WAIT`, String(until), `waiter${i}`]),
      )
      return fetch(web.url, { headers: { cookie } })
    }
    expect(await (await wait(Date.now() - 10)).text()).toBe('2')
    const refused = await wait(Date.now() + 60_000)
    expect([refused.status, refused.headers.get('retry-after'), refused.headers.getSetCookie()]).toEqual([
      429,
      '5',
      [],
    ])
    await until('the log', () => web.log().includes('php-sessions: '))
    expect(web.log()).toMatch(
      /php-sessions: a request is refused: 3 requests are already waiting for this session \(PHP_SESSIONS_MAX_WAITING\); the lock of the request that holds it ends in 1 seconds at most/,
    )
  })

  test('a request waits for its turn as long as is set', async () => {
    const { redis, service } = await startRedisService()
    const web = await startWeb(
      underTest,
      configureManaged(underTest, service, { PHP_SESSIONS_MAX_WAIT: '1' }),
    )
    const cookie = await newVisitor(web)
    const lock = `PHPREDIS_SESSION:${cookie.split('=')[1]}_LOCK`
    redis.cli('SET', lock, 'somebody', 'PX', '60000')
    expect((await visit(web.url, cookie)).status).toBe(503)
    // Without the setting it waits for 30 seconds.
    expect(Number(redis.cli('PTTL', lock))).toBeGreaterThan(30_000)
    await until('the log', () =>
      web.log().includes('others have held this session for 1 seconds (PHP_SESSIONS_MAX_WAIT)'),
    )
  })

  test('a server that thaws gives no lock to a request that has gone', async () => {
    const { redis, service } = await startRedisService()
    const web = await startWeb(underTest, configureManaged(underTest, service))
    const cookie = await newVisitor(web)
    redis.signal('SIGSTOP')
    expect((await visit(web.url, cookie)).status).toBe(503)
    await sleep(500)
    redis.signal('SIGCONT')
    expect(redis.cli('KEYS', '*_LOCK')).toBe('')
    expect(await visit(web.url, cookie)).toEqual({ status: 200, text: '2' })
  })
})
