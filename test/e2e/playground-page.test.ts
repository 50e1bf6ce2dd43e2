import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Lane } from '../../playground/engine/lane.ts'
import { Playground } from '../../playground/engine/playground.ts'
import { SCENES } from '../../playground/scenes/scenes.ts'
import { type PageServer, startPageServer } from '../../playground/server/http.ts'
import { makePage } from '../../playground/server/page.ts'
import { Show } from '../../playground/server/show.ts'
import { findBarriers, NO_BROWSER, startBrowser } from '../support/playground/browser.ts'

const ROOT = join(import.meta.dirname, '../..')
if (!existsSync(join(ROOT, 'dist/playground/page')))
  throw new Error('there is no page to test: run scripts/build')
if (NO_BROWSER !== undefined) console.info(`skipped, because ${NO_BROWSER}`)

const SHOTS = join(ROOT, '.cache/screenshots')
const LIMIT_MILLISECONDS = 60_000

describe.skipIf(NO_BROWSER !== undefined)('the page', () => {
  const playground = new Playground({})
  const show = new Show(playground, 0)
  const asked: string[] = []
  const complaints: string[] = []
  let server: PageServer
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    mkdirSync(SHOTS, { recursive: true })
    server = await startPageServer(playground, show, { port: 0, instances: 2, page: makePage(false) })
    browser = await startBrowser()
    page = await browser.newPage({ viewport: { width: 1440, height: 1000 } })
    page.setDefaultTimeout(LIMIT_MILLISECONDS)
    page.on('request', (request) => asked.push(request.url()))
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => complaints.push(message.text()))
    await page.goto(server.url)
  })

  afterAll(async () => {
    await browser?.close()
    show.stop()
    await server?.stop()
    await playground.stop()
  })

  const button = (name: string) => page.getByRole('button', { name, exact: true })
  const sceneButton = (title: string) => page.getByRole('button', { name: new RegExp(`^${title}`) })
  const card = (title: string) => page.getByRole('article', { name: title })
  const untilReady = () => page.getByRole('status').getByText('ready').waitFor()
  const shoot = (name: string) => page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true })
  const laneOf = (way: Lane['options']['way']) =>
    playground.lanes.find(({ options }) => options.way === way) as Lane

  test.for(SCENES)('scene $id: the page shows what is promised and seen', async ({ id, title, lanes }) => {
    await sceneButton(title).click()
    await page.getByRole('table').waitFor({ state: 'detached' })
    await page.getByRole('table').waitFor()
    await untilReady()
    const rows = await page.locator('tbody tr').allInnerTexts()
    const kept = rows.filter((row) => row.endsWith('✓ yes'))
    expect(kept, `${id}\n${playground.lanes.map((lane) => lane.log()).join('')}`).toEqual(rows)
    expect(rows).toHaveLength(lanes.flatMap(({ promises }) => promises).length)
    for (const lane of playground.lanes) {
      await expect(card(lane.title).innerText()).resolves.toContain(
        `${lane.shopper('Ada').ledger.acknowledged} update`,
      )
      // What the store really holds: a session, beside the handler's own keys.
      if (lane.isPromised && lane.store?.keys !== undefined)
        expect(lane.store.keys().filter((key) => !/_LOCK|_WAIT|_NEXT|_DONE/.test(key))).not.toEqual([])
    }
  })

  test('the controls do what they say, and the page says what has happened', async () => {
    await page.reload()
    await page.getByText('Your own lanes').click()
    await button('Open these lanes').click()
    const managed = card('php-sessions, managed handler, Redis')
    await managed.getByText('logged in').waitFor()
    await untilReady()
    const files = card('local files')
    await files.getByText(/logged out \d+×/).waitFor()

    await button('Kill 0').click()
    await managed.getByText('instance 0 down').waitFor()
    await untilReady()
    expect(playground.lanes.map((lane) => lane.instances())).toEqual([[1], [1]])
    await button('Start missing').click()
    await managed.getByText(/instance 0 \d+ requests/).waitFor()
    await untilReady()
    expect(playground.lanes.map((lane) => lane.instances())).toEqual([
      [0, 1],
      [0, 1],
    ])

    await button('Freeze').click()
    await managed.getByText('Redis frozen').waitFor()
    await managed.getByText('must wait').waitFor()
    await managed.getByText(/503: \d/).waitFor()
    await button('Thaw').click()
    await managed.getByText('logged in').waitFor()
    await untilReady()

    await button('Rotate password').click()
    await managed.getByText('up, with a new password').waitFor()
    await managed.getByText('must wait').waitFor()
    await untilReady()
    await button('cf restart').click()
    await managed.getByText('logged in').waitFor()
    await untilReady()

    await button('20 clicks at once').click()
    await untilReady()
    await button('Restart').click()
    await managed.getByText('Redis restarting').waitFor()
    await managed.getByText('Redis up').waitFor()
    await untilReady()
    await managed.getByText('nothing lost').waitFor()
    const { ledger } = laneOf('managed').shopper('Ada')
    expect(ledger).toMatchObject({ lost: 0, loggedOut: 0 })
    expect(ledger.acknowledged).toBeGreaterThan(20)

    const before = laneOf('managed').shoppers.size
    const load = page.getByRole('switch', { name: '200 requests a second' })
    await load.click()
    await expect.poll(() => laneOf('managed').shoppers.size).toBeGreaterThan(before)
    await load.click()
    await page.getByRole('switch', { name: 'Sticky by JSESSIONID' }).click()
    await page.getByText('the router sticks by JSESSIONID').first().waitFor()
    expect(show.snapshot().isSticky).toBe(true)

    await managed.getByRole('button', { name: 'explain' }).click()
    await managed.getByText('Sessions are kept in Redis service app-redis-sessions').last().waitFor()
    await managed.getByRole('button', { name: 'doctor' }).click()
    await managed.getByText(/^Sessions are ready: /).waitFor()
  })

  test.for([1440, 820, 390])(
    'at a width of %i nothing is in the way of keyboard or screen reader, light or dark',
    async (width) => {
      await page.setViewportSize({ width, height: 900 })
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        expect(await findBarriers(page)).toEqual([])
        await shoot(`live-${width}-${colorScheme}`)
      }
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
    },
  )

  test('everything can be reached by the keyboard, in the order of the page', async () => {
    await page.setViewportSize({ width: 1440, height: 900 })
    await page.reload()
    await untilReady()
    const reached: string[] = []
    for (let i = 0; i < 45; i++) {
      await page.keyboard.press('Tab')
      reached.push(await page.evaluate('document.activeElement.innerText.trim()'))
    }
    const wanted = [
      ...SCENES.map(({ title }) => title),
      'Your own lanes',
      'Kill 0',
      'Freeze',
      'explain',
      'Open the app',
    ]
    const places = wanted.map((text) => reached.findIndex((found) => found.startsWith(text)))
    expect(places.filter((place) => place === -1)).toEqual([])
    expect(places.slice(0, -2)).toEqual(places.slice(0, -2).toSorted((a, b) => a - b))
  })

  test('it is one file that asks nobody but its own server, and no other site may ask that', async () => {
    expect(complaints).toEqual([])
    expect(new Set(asked.map((url) => new URL(url).pathname))).toEqual(
      new Set(['/', '/events', '/control', '/ask']),
    )
    expect(asked.filter((url) => !url.startsWith(server.url))).toEqual([])
    const answer = await fetch(server.url)
    const policy = answer.headers.get('content-security-policy')
    expect(policy).toMatch(/^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; /)
    const post = (headers: Readonly<Record<string, string>>) =>
      fetch(`${server.url}control`, { method: 'POST', headers, body: '{"do":"freeze"}' })
    expect((await post({ 'content-type': 'application/json', origin: 'http://evil.example' })).status).toBe(
      403,
    )
    expect((await post({ 'content-type': 'text/plain' })).status).toBe(415)
    expect(playground.lanes.length).toBe(2)
  })
})
