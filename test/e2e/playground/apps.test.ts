import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startMariadb } from '../../../lab/servers/mariadb.ts'
import { Playground } from '../../../playground/engine/playground.ts'
import { LOGIN_APPS, STATEMENTS } from '../../support/apps/apps.ts'
import { makeBrowser } from '../../support/apps/browser.ts'
import { whyUnfit } from '../../support/apps/fits.ts'
import { unpackedApps } from '../../support/apps/unpacked.ts'
import { makePushedApp } from '../../support/playground/pushed-app.ts'

if (!existsSync(join(import.meta.dirname, '../../../dist/php-sessions.mjs')))
  throw new Error('there is no program to test: run scripts/build')

const unpacked = unpackedApps()
const apps = LOGIN_APPS.filter(({ name }) => name === 'phpMyAdmin' || name === 'DokuWiki')

/** Only for tests that hang: two instances, a database and an app start on a machine that may be busy. */
const HANG_MILLISECONDS = 300_000

test.for(apps)(
  '$name runs on two instances of the playground, and a login survives the death of one',
  { timeout: HANG_MILLISECONDS },
  async (app, { skip }) => {
    if ('unavailable' in unpacked) return skip(unpacked.unavailable)
    const mariadb = await startMariadb({ ...unpacked.mariadb, statements: STATEMENTS })
    onTestFinished(() => mariadb.stop())
    const why = await whyUnfit(app, unpacked, mariadb)
    if (why !== undefined) return skip(why)
    const playground = new Playground({ app: makePushedApp(app, unpacked, mariadb) })
    onTestFinished(() => playground.stop())
    await playground.open([{ way: 'managed', store: 'redis', instances: 2, isSticky: false }])
    const [lane] = playground.lanes
    if (lane === undefined) throw new Error('expected a lane')
    const browser = makeBrowser(lane.url)
    const page = app.page(mariadb)
    expect((await browser.get(page)).body).toMatch(app.outside)
    expect((await app.login(browser, mariadb)).body).not.toMatch(app.outside)
    expect((await app.work(browser, mariadb)).body).toMatch(app.result)
    expect([...browser.instances].sort()).toEqual([0, 1])
    // DokuWiki would log in again by another cookie. What its session has is gone with a session.
    const [trace] = app.remembers ?? []
    if (trace !== undefined) await browser.get(trace.request)

    const { servedBy = 0 } = await browser.get(page)
    await playground.kill(servedBy)
    const after = await browser.get(page)
    expect(after.status).toBe(200)
    expect(after.servedBy).toBe(1 - servedBy)
    expect(after.body).not.toMatch(app.outside)
    if (trace !== undefined) expect((await browser.get(trace.page)).body).toMatch(trace.shows)
    await playground.startMissing()
    const seen = new Set<number | undefined>()
    for (let i = 0; i < 3; i++) {
      const { body, servedBy: by } = await browser.get(page)
      expect(body).not.toMatch(app.outside)
      seen.add(by)
    }
    expect([...seen].sort()).toEqual([0, 1])
    expect(lane.store?.keys?.().some((key) => key.endsWith(browser.cookies.get(app.cookie) ?? 'none'))).toBe(
      true,
    )
  },
)
