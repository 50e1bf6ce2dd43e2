import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CANARY } from '../../../../lab/bindings.ts'
import { cookieIn } from '../../../../lab/php/fastcgi.ts'
import { until } from '../../../../lab/processes/until.ts'
import type { Redis, RedisOptions } from '../../../../lab/redis/options.ts'
import { startRedis } from '../../../../lab/redis/server.ts'
import { container, startFpmIn } from '../../../support/homes/container.ts'
import { stress } from '../../../support/php/load/stress.ts'
import { killWorkers, shortenLocks } from '../../../support/php/load/worker-kills.ts'
import { PHPS } from '../../../support/php/php.ts'

async function start(options: Pick<RedisOptions, 'keeps' | 'at'> = {}) {
  const redis = await startRedis({ password: CANARY, ...options })
  onTestFinished(redis.stop)
  return redis
}

async function freeze(redis: Redis, milliseconds: number): Promise<void> {
  redis.signal('SIGSTOP')
  await sleep(milliseconds)
  redis.signal('SIGCONT')
}

/** Restarts a server that keeps what it has acknowledged: as for a deployment, or as after a crash. */
async function restart(redis: Redis, by: 'SIGTERM' | 'SIGKILL'): Promise<Redis> {
  redis.signal(by)
  await until('its end', () => {
    try {
      redis.cli('PING')
      return false
    } catch {
      return true
    }
  })
  return start({ keeps: true, at: redis })
}

test('a worker that dies with the lock delays the others only until the lock expires, and all of them get it in turn', async () => {
  const redis = await start()
  const env = { REDIS_URL: `redis://:${encodeURIComponent(CANARY)}@127.0.0.1:${redis.port}` }
  const count = `session_start(); echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1, ' done';`
  const pages = { count, die: `session_start(); $_SESSION['n'] = 99; exec('kill -9 ' . getmypid());` }
  const bound = container({ ...env, PHP_SESSIONS_HANDLER: 'managed' })
  const fpm = await startFpmIn(bound, { pool: { workers: 8 }, pages })
  const cookie = cookieIn(await fpm.ask('count')) ?? ''
  await fpm.ask('die', cookie).catch(() => '')
  const lock = `PHPREDIS_SESSION:${cookie.split('=')[1]}_LOCK`
  expect(Number(redis.cli('PTTL', lock))).toBeGreaterThan(30_000)
  const waiting = Array.from({ length: 5 }, () => fpm.ask('count', cookie))
  const wait = lock.replace('_LOCK', '_WAIT')
  await until('all of them to wait', () => redis.cli('ZCARD', wait) === '5')
  redis.cli('PEXPIRE', lock, '300')
  const counts = (await Promise.all(waiting)).map((page) => /(\d+) done$/.exec(page)?.[1])
  expect(counts.sort()).toEqual(['2', '3', '4', '5', '6'])
})

/** Pages of one session under php-fpm: `count` is a page, `hold` keeps the session until a file is there. */
async function startPages(workers: number, more: Readonly<Record<string, string>> = {}) {
  const redis = await start()
  const REDIS_URL = `redis://:${encodeURIComponent(CANARY)}@127.0.0.1:${redis.port}`
  const bound = container({ REDIS_URL, PHP_SESSIONS_HANDLER: 'managed', ...more })
  const go = join(bound.directory, 'go')
  const count = `session_start(); usleep(20000); echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1, ' done';`
  const hold = `session_start(); while (!file_exists('${go}')) { usleep(1000); clearstatcache(); } echo 'held';`
  const fpm = await startFpmIn(bound, { pool: { workers }, pages: { count, hold } })
  const cookie = cookieIn(await fpm.ask('count')) ?? ''
  const key = `PHPREDIS_SESSION:${cookie.split('=')[1]}`
  return { redis, fpm, cookie, key, letGo: () => writeFileSync(go, '') }
}

test('a visitor who cannot hold all workers blocks nobody else', async () => {
  const { redis, fpm, cookie, key, letGo } = await startPages(8, { PHP_SESSIONS_MAX_WAITING: '4' })
  const holder = fpm.ask('hold', cookie)
  await until('the lock to be held', () => redis.cli('EXISTS', `${key}_LOCK`) === '1')
  const others = Array.from({ length: 12 }, () => fpm.ask('count', cookie))
  // Another visitor is served although the holder has not ended.
  expect(await fpm.ask('count')).toMatch(/1 done$/)
  let refused = 0
  for (const other of others) void other.then((answer) => (refused += Number(/^Status: 429/m.test(answer))))
  await until('those who may not wait to be refused', () => refused === 8)
  letGo()
  expect(await holder).toMatch(/held$/)
  const answers = await Promise.all(others)
  expect(answers.filter((answer) => / done$/.test(answer))).toHaveLength(4)
})

test('a page with twenty parallel fetches is served, without a setting', async () => {
  const { redis, fpm, cookie, key } = await startPages(24)
  let most = 0
  const fetches = Array.from({ length: 20 }, () => fpm.ask('count', cookie))
  const served = Promise.all(fetches).then((answers) => answers.map((page) => /(\d+) done$/.exec(page)?.[1]))
  for (let isOver = false; !isOver; ) {
    isOver = await Promise.race([served.then(() => true), sleep(5).then(() => false)])
    most = Math.max(most, Number(redis.cli('ZCARD', `${key}_WAIT`)))
  }
  console.log(`20 parallel fetches: ${most} waited at once`)
  expect((await served).map(Number).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 20 }, (_, i) => i + 2),
  )
})

describe.each(PHPS)('%s', (_name, php) => {
  const credentialsOf = ({ host, port }: Redis) => ({ host, port, password: CANARY })

  test('no acknowledged update is lost, and no sessions are mixed up, while the server freezes', async () => {
    const redis = await start()
    const asked = { name: 'frozen', php, credentials: credentialsOf(redis) }
    await stress(asked, async () => {
      for (let i = 0; i < 3; i++) {
        await freeze(redis, 1_500)
        await sleep(300)
      }
      // Longer than a request waits for an answer.
      await freeze(redis, 4_000)
    })
  })

  test('no acknowledged update is lost while the server is restarted', async () => {
    const first = await start({ keeps: true })
    const asked = { name: 'restarted', php, credentials: credentialsOf(first) }
    await stress(asked, async () => {
      const second = await restart(first, 'SIGTERM')
      await sleep(1_000)
      await restart(second, 'SIGKILL')
    })
  })

  test('no acknowledged update is lost while workers are killed, and the server freezes and restarts', async () => {
    const redis = await start({ keeps: true })
    const asked = { name: 'workers killed', php, credentials: credentialsOf(redis) }
    await stress({ ...asked, prepare: shortenLocks, cuts: true }, async ({ fpm }) => {
      const stop = killWorkers(fpm.pid)
      await sleep(3_000)
      await freeze(redis, 1_500)
      await sleep(500)
      await restart(redis, 'SIGKILL')
      await sleep(1_000)
      expect(await stop()).toBeGreaterThan(20)
    })
  })
})
