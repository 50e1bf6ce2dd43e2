import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { CANARY, redisService, vcapServices } from '../../lab/bindings.ts'
import { runInParallel } from '../../lab/load.ts'
import { startContained } from '../../lab/processes/contained.ts'
import { until } from '../../lab/processes/until.ts'
import { startRedis } from '../../lab/redis/server.ts'
import { type Mariadb, startMariadb } from '../../lab/servers/mariadb.ts'
import { type App, LOGIN_APPS, STATEMENTS, symfony } from '../support/apps/apps.ts'
import { makeBrowser } from '../support/apps/browser.ts'
import { unpackedApps } from '../support/apps/unpacked.ts'
import { startAppWeb } from '../support/apps/web.ts'

const unpacked = unpackedApps()
const rows = LOGIN_APPS.map((app) => [app.name, app] as const)

let mariadb: Mariadb
beforeAll(async () => {
  if ('unavailable' in unpacked) return
  mariadb = await startMariadb({ ...unpacked.mariadb, statements: STATEMENTS })
})
afterAll(() => mariadb?.stop())

/** Starts an app on two instances, with a Redis of its own for the sessions. */
async function start(app: App, handler: 'managed' | 'native', skip: (reason: string) => never) {
  if ('unavailable' in unpacked) return skip(unpacked.unavailable)
  const redis = await startRedis({ password: CANARY })
  onTestFinished(redis.stop)
  const credentials = { host: redis.host, port: redis.port, password: CANARY }
  const env = {
    ...unpacked.env,
    VCAP_SERVICES: vcapServices({ ...redisService, credentials }),
    PHP_SESSIONS_HANDLER: handler,
  }
  const web = await startAppWeb(env, app.make(unpacked, mariadb))
  return { redis, web, browser: makeBrowser(web.url), page: app.page(mariadb) }
}

/** Watches the commands on sessions that clients send to Redis; the commands of scripts do not count. */
async function watchSessions(port: number): Promise<() => ReadonlySet<string>> {
  const env = { PATH: process.env.PATH, REDISCLI_AUTH: CANARY }
  const monitor = startContained({ file: 'redis-cli', args: ['-p', String(port), 'MONITOR'], env })
  onTestFinished(() => monitor.signal('SIGTERM'))
  await until('redis-cli to watch', () => monitor.stdout().startsWith('OK'))
  return () => {
    const lines = monitor.stdout().matchAll(/^\S+ \[\d+ (?!lua).*?\] "(\w+)" .*PHPREDIS_SESSION:/gm)
    return new Set([...lines].map(([, command = '']) => command.toUpperCase()))
  }
}

/** What PHP, php-sessions and nginx complain about in their logs. */
const complaints = (log: string) =>
  log
    .split('\n')
    .filter((line) => /PHP message|php-sessions: (?!sessions are kept in)|\[(error|crit|alert)\]/.test(line))

describe.each(['managed', 'native'] as const)('%s', (handler) => {
  test.for(rows)(
    '%s: people log in, work on two instances in turn, log out, and do so again',
    async ([, app], { skip }) => {
      const { redis, web, browser, page } = await start(app, handler, skip)
      const commands = await watchSessions(redis.port)
      const instances = new Set<number | undefined>()
      for (let times = 0; times < 2; times++) {
        expect((await browser.get(page)).body).toMatch(app.outside)
        const before = browser.cookies.get(app.cookie)
        expect((await app.login(browser, mariadb)).body).not.toMatch(app.outside)
        const cookie = browser.cookies.get(app.cookie)
        expect(cookie).not.toBe(before)
        for (let i = 0; i < 2; i++) {
          const { status, body, servedBy } = await browser.get(page)
          expect(status).toBe(200)
          expect(body).not.toMatch(app.outside)
          instances.add(servedBy)
          const result = await app.work(browser, mariadb)
          expect(result.body).toMatch(app.result)
          // An app that catches PHP's warnings shows them in the page.
          expect(result.body).not.toMatch(/(Warning|Notice|Deprecated)(<[^>]*>)* in /)
          const keys = redis.cli('KEYS', '*').split('\n')
          expect(keys).toContain(`PHPREDIS_SESSION:${cookie}`)
          expect(keys.filter((key) => !/^PHPREDIS_SESSION:[^_]+$/.test(key))).toEqual([])
        }
        expect((await app.logout(browser, mariadb)).body).toMatch(app.outside)
      }
      expect([...instances].sort()).toEqual([0, 1])
      const keeper = commands().has('SETEX') ? 'native' : 'managed'
      expect(keeper).toBe(app.isBypassing ? 'native' : handler)
      expect(commands()).toContain('EVALSHA')
      await web.stop()
      expect(complaints(web.log())).toEqual([])
    },
  )

  test('Symfony: each of 20 requests of one visitor, 5 at a time, is counted', async ({ skip }) => {
    const { redis, web, browser } = await start(symfony, handler, skip)
    const count = async () => Number((await browser.get('/count')).body)
    expect(await count()).toBe(1)
    const counts: number[] = []
    await runInParallel(20, 5, async () => counts.push(await count()))
    expect(counts.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 2))
    expect(redis.cli('KEYS', '*').split('\n')).toEqual([expect.stringMatching(/^PHPREDIS_SESSION:[^_]+$/)])
    await web.stop()
    expect(complaints(web.log())).toEqual([])
  })
})

test.for(rows)(
  '%s: when the store is gone, visitors who are logged in get an error, not the login form',
  async ([, app], { skip }) => {
    const { redis, web, browser, page } = await start(app, 'managed', skip)
    await app.login(browser, mariadb)
    const cookie = browser.cookies.get(app.cookie)
    await redis.stop()
    for (let i = 0; i < 2; i++) {
      const { status, headers, body } = await browser.get(page)
      expect(body).not.toMatch(app.outside)
      expect(body).not.toContain('c4n')
      expect(status).toBe(app.isBypassing ? 500 : 503)
      if (app.isBypassing) continue
      expect(headers['retry-after']).toBe('5')
      expect(browser.cookies.get(app.cookie)).toBe(cookie)
    }
    await web.stop()
    const cause = app.isBypassing
      ? 'RuntimeException: "Failed to start the session."'
      : `php-sessions: the session store cannot be used: 127.0.0.1:${redis.port}: `
    const lines = complaints(web.log())
    expect(lines.length).toBeGreaterThan(0)
    expect(lines.filter((line) => !line.includes(cause))).toEqual([])
  },
)
