import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { startRedis } from '../../../lab/redis.ts'
import { until } from '../../../lab/until.ts'
import { container, startFpm } from '../../support/exec.ts'

const PARALLEL = 25
const KILLS = 60
const LOCK_SECONDS = 2
/** What is printed has been written: an answer is an acknowledgement. */
const PAGE = `session_start(); $n = $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1; usleep(5000); session_write_close(); echo $n, ' done';`

const childrenOf = (pid: number | string) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)

/** The managed handler under php-fpm, whose workers come back when they die. */
async function start(workers: number) {
  const redis = await startRedis()
  onTestFinished(redis.stop)
  const env = { REDIS_URL: `redis://127.0.0.1:${redis.port}`, PHP_SESSIONS_HANDLER: 'managed' }
  const bound = container(env)
  const pages = { count: PAGE, die: `session_start(); $_SESSION['n'] = 99; exec('kill -9 ' . getmypid());` }
  const fpm = await startFpm(bound, { pool: [`pm.max_children = ${workers}`], pages })
  const cookie = /PHPSESSIONID=[^;\s]+/.exec(await fpm.ask('count'))?.[0] ?? ''
  return { redis, bound, fpm, cookie }
}

const countOf = (page: string) => /(\d+) done$/.exec(page)?.[1]

test('a worker that dies with the lock costs no more than its life, and those who wait go on in turn', async () => {
  const { redis, fpm, cookie } = await start(8)
  await fpm.ask('die', cookie).catch(() => '')
  const lock = `PHPREDIS_SESSION:${cookie.split('=')[1]}_LOCK`
  expect(Number(redis.cli('PTTL', lock))).toBeGreaterThan(30_000)
  const waiting = Array.from({ length: 5 }, () => fpm.ask('count', cookie))
  const wait = lock.replace('_LOCK', '_WAIT')
  await until('all of them to wait', () => redis.cli('SCARD', wait) === '5')
  redis.cli('PEXPIRE', lock, '300')
  expect((await Promise.all(waiting)).map(countOf).sort()).toEqual(['2', '3', '4', '5', '6'])
})

test('no acknowledged update is lost while a worker is killed every 100 ms', async () => {
  const { bound, fpm, cookie } = await start(PARALLEL)
  // A minute, as lives the lock of a worker that has died, is too long to wait here.
  const ours = join(bound.directory, 'tmp', readdirSync(join(bound.directory, 'tmp'))[0] ?? '')
  const store = join(ours, 'php-sessions-store.php')
  const text = readFileSync(store, 'utf8')
  expect(text).toContain(`'lockSeconds' => 60`)
  writeFileSync(store, text.replace(`'lockSeconds' => 60`, `'lockSeconds' => ${LOCK_SECONDS}`))
  await sleep(3_000) // opcache looks again after two seconds

  const [master = ''] = childrenOf(fpm.pid)
  const counts: number[] = [1]
  let cut = 0
  let refused = 0
  let longest = 0
  let isOver = false
  const visitors = Array.from({ length: PARALLEL }, async () => {
    while (!isOver) {
      const asked = Date.now()
      const page = await fpm.ask('count', cookie).catch(() => '')
      longest = Math.max(longest, Date.now() - asked)
      const count = countOf(page)
      if (count !== undefined) counts.push(Number(count))
      else if (/Status: 503/.test(page)) refused++
      else cut++
    }
  })
  for (let i = 0; i < KILLS; i++) {
    await sleep(100)
    const workers = childrenOf(master)
    process.kill(Number(workers[Math.floor(Math.random() * workers.length)]), 'SIGKILL')
  }
  isOver = true
  await Promise.all(visitors)
  const last = Number(countOf(await fpm.ask('count', cookie)))
  console.log(
    `${KILLS} kills: ${counts.length} answered, ${cut} cut off, ${refused} refused, counted ${last}, longest ${longest} ms`,
  )
  expect(new Set(counts).size).toBe(counts.length)
  expect(last).toBeGreaterThan(Math.max(...counts))
  // Whoever was killed may have written before.
  expect(last - 1 - counts.length).toBeLessThanOrEqual(cut)
  expect(counts.length).toBeGreaterThan(100)
})
