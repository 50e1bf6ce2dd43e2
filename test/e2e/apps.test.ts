import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { showsCanary, vcapServices } from '../../lab/bindings.ts'
import { runInParallel } from '../../lab/load.ts'
import { type Mariadb, startMariadb } from '../../lab/servers/mariadb.ts'
import type { App, Handler } from '../support/apps/app.ts'
import { LOGIN_APPS, STATEMENTS, symfony } from '../support/apps/apps.ts'
import { makeBrowser } from '../support/apps/browser.ts'
import { complaints, inFiles, whyUnfit } from '../support/apps/fits.ts'
import { APP_STORES, type AppStore } from '../support/apps/stores.ts'
import { unpackedApps } from '../support/apps/unpacked.ts'
import { startAppWeb } from '../support/apps/web.ts'

const unpacked = unpackedApps()
const rows = LOGIN_APPS.map((app) => [app.name, app] as const)

let mariadb: Mariadb
beforeAll(async () => {
  if ('unavailable' in unpacked) return
  const statements = [...STATEMENTS, ...LOGIN_APPS.flatMap((app) => app.statements?.(unpacked) ?? [])]
  mariadb = await startMariadb({ ...unpacked.mariadb, statements })
})
afterAll(() => mariadb?.stop())

/** Starts an app on two instances, with a store of its own, which has the sessions unless they are in files. */
async function start(
  app: App,
  handler: Handler,
  kind: keyof typeof APP_STORES,
  skip: (reason: string) => never,
) {
  if ('unavailable' in unpacked) return skip(unpacked.unavailable)
  const why = await whyUnfit(app, unpacked, mariadb)
  if (why !== undefined) return skip(why)
  const store = await APP_STORES[kind]()
  const bound = { VCAP_SERVICES: vcapServices(store.service), PHP_SESSIONS_HANDLER: handler }
  const more = handler === 'files' ? inFiles(unpacked) : bound
  const web = await startAppWeb({ ...unpacked.env, ...more }, app.make(unpacked, mariadb))
  return { store, web, browser: makeBrowser(web.url), page: app.page(mariadb) }
}

/** Whether a key is that of a session, and not of a lock. */
const isSession = (store: AppStore, key: string) =>
  key.startsWith(store.key('')) && !/_|^lock\./.test(key.slice(store.key('').length))

/** On Memcached people log in once: it is the same code of the handler, and the second time is about ids. */
const HANDLERS = [
  ['managed', 'Redis', 2],
  ['managed', 'Memcached', 1],
  ['native', 'Redis', 2],
  ['files', 'Redis', 2],
] as const

describe.each(HANDLERS)('%s, %s', (handler, kind, logins) => {
  test.for(rows)(
    '%s: people log in, work on two instances in turn, log out, and do so again',
    async ([, app], { skip }) => {
      const { store, web, browser, page } = await start(app, handler, kind, skip)
      for (let times = 0; times < logins; times++) {
        expect((await browser.get(page)).body).toMatch(app.outside)
        const before = browser.cookies.get(app.cookie)
        expect((await app.login(browser, mariadb)).body).not.toMatch(app.outside)
        const cookie = browser.cookies.get(app.cookie)
        if (app.keepsId !== true) expect(cookie).not.toBe(before)
        for (let i = 0; i < 2; i++) {
          const { status, body } = await browser.get(page)
          expect(status).toBe(200)
          expect(body).not.toMatch(app.outside)
          const result = await app.work(browser, mariadb)
          expect(result.body).toMatch(app.result)
          // An app that catches PHP's warnings shows them in the page.
          expect(result.body).not.toMatch(/(Warning|Notice|Deprecated)(<[^>]*>)* in /)
          if (handler === 'files') continue
          const keys = await store.keys()
          expect(keys).toContain(store.key(cookie))
          expect(keys.filter((key) => !isSession(store, key))).toEqual([])
        }
        expect((await app.logout(browser, mariadb)).body).toMatch(app.outside)
      }
      expect([...browser.instances].sort()).toEqual([0, 1])
      if (handler === 'files') expect(await store.keys()).toEqual([])
      else expect(await store.keeper()).toBe(app.isBypassing ? 'native' : handler)
      await web.stop()
      expect(complaints(web.log())).toEqual([])
      expect(showsCanary(web.log())).toBe(false)
    },
  )

  test.for(rows.filter(([, { remembers }]) => remembers))(
    '%s: of requests of one visitor at the same time, each leaves what it has put into the session',
    async ([, app], { skip }) => {
      const { web, browser } = await start(app, handler, kind, skip)
      await app.login(browser, mariadb)
      await Promise.all((app.remembers ?? []).map(({ request }) => browser.get(request)))
      for (const { page, shows } of app.remembers ?? []) expect((await browser.get(page)).body).toMatch(shows)
      await web.stop()
      expect(complaints(web.log())).toEqual([])
    },
  )

  test('Symfony: each of 20 requests of one visitor, 5 at a time, is counted', async ({ skip }) => {
    const { store, web, browser } = await start(symfony, handler, kind, skip)
    const count = async () => Number((await browser.get('/count')).body)
    expect(await count()).toBe(1)
    const counts: number[] = []
    await runInParallel(20, 5, async () => counts.push(await count()))
    expect(counts.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 2))
    if (handler !== 'files')
      expect(await store.keys()).toEqual([store.key(browser.cookies.get(symfony.cookie))])
    await web.stop()
    expect(complaints(web.log())).toEqual([])
  })
})

/** All apps on Redis, some on Memcached. */
const gone = [
  ...LOGIN_APPS.map((app) => [app.name, 'Redis', app] as const),
  ...LOGIN_APPS.slice(0, 3).map((app) => [app.name, 'Memcached with a login', app] as const),
]

test.for(gone)(
  '%s, %s: when the store is gone, visitors who are logged in get an error, not the login form',
  async ([, kind, app], { skip }) => {
    const { store, web, browser, page } = await start(app, 'managed', kind, skip)
    await app.login(browser, mariadb)
    const cookie = browser.cookies.get(app.cookie)
    await store.stop()
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
    // PHP 8.1 also logs its warning there.
    const causes = app.isBypassing
      ? ['RuntimeException: "Failed to start the session."', 'session_start(): Failed to read session data']
      : [`php-sessions: the session store cannot be used: 127.0.0.1:${store.port}: `]
    const lines = complaints(web.log())
    expect(lines.some((line) => line.includes(causes[0] as string))).toBe(true)
    expect(lines.filter((line) => !causes.some((cause) => line.includes(cause)))).toEqual([])
  },
)
