import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { NO_BROWSER } from '../../../lab/web/chromium.ts'
import { SCENES } from '../../../playground/scenes/scenes.ts'
import { findBarriers } from '../../support/playground/barriers.ts'
import type { PageInBrowser } from '../../support/playground/page-in-browser.ts'
import { servePage } from '../../support/playground/served-page.ts'

const ROOT = join(import.meta.dirname, '../../..')
if (!existsSync(join(ROOT, 'dist/playground/page')))
  throw new Error('there is no page to test: run scripts/build')

test('the page, its look and its controls are tested in a browser', ({ skip }) => {
  if (NO_BROWSER !== undefined) skip(NO_BROWSER)
})

/** Only for what hangs: the machine may be busy. */
const HANG = { timeout: 300_000 }
const SHOTS = join(ROOT, '.cache/screenshots')
// Each test has a page and, where it needs them, lanes of its own: whatever became of the tests before.
describe.skipIf(NO_BROWSER !== undefined)('the page', HANG, () => {
  const { playground, show, url, tab } = servePage()
  let open: PageInBrowser

  beforeAll(() => void mkdirSync(SHOTS, { recursive: true }))

  beforeEach(() => {
    open = tab()
  })

  const shoot = (name: string) => open.page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true })

  test.for(SCENES)('scene $id: the page shows what is promised and seen', async ({ id, title, lanes }) => {
    await open.press(new RegExp(`^${title}`))
    await open.page.getByRole('region', { name: title }).getByRole('table').waitFor(HANG)
    const rows = await open.page.locator('tbody tr').allInnerTexts()
    const kept = rows.filter((row) => row.endsWith('✓ yes'))
    expect(kept, `${id}\n${playground.lanes.map((lane) => lane.log()).join('')}`).toEqual(rows)
    expect(rows).toHaveLength(lanes.flatMap(({ promises }) => promises).length)
    await open.untilTold(`“${title}”: everything was as promised.`)
    for (const lane of playground.lanes) {
      await expect(open.card(lane.title).innerText()).resolves.toContain(
        `${[...lane.shoppers.values()].reduce((sum, { ledger }) => sum + ledger.acknowledged, 0)} update`,
      )
      // What the store really holds: a session, beside the handler's own keys.
      if (lane.isPromised && lane.store?.keys !== undefined)
        expect(lane.store.keys().filter((key) => !/_LOCK|_WAIT|_NEXT|_DONE/.test(key))).not.toEqual([])
    }
  })

  test('nothing is in the way of keyboard or screen reader, at any width, light or dark', async () => {
    await open.openLanes('files', 'managed:redis')
    for (const width of [1440, 820, 390]) {
      await open.page.setViewportSize({ width, height: 900 })
      for (const colorScheme of ['light', 'dark'] as const) {
        await open.page.emulateMedia({ colorScheme })
        expect(await findBarriers(open.page)).toEqual([])
        await shoot(`live-${width}-${colorScheme}`)
      }
      expect(await open.page.evaluate('document.documentElement.scrollWidth')).toBe(width)
    }
  })

  test('everything can be reached by the keyboard, in the order of the page', async () => {
    await open.openLanes('files', 'managed:redis')
    await open.page.reload()
    await open.untilReady()
    const reached: string[] = []
    for (let i = 0; i < 45; i++) {
      await open.page.keyboard.press('Tab')
      reached.push(await open.page.evaluate('document.activeElement.innerText.trim()'))
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
    await open.openLanes('managed:redis')
    await open.press('Kill 0')
    await open.page.getByRole('button', { name: 'explain' }).click()
    await open.page.getByText('Sessions are kept in Redis service app-redis-sessions').last().waitFor()
    expect(open.complaints).toEqual([])
    expect(new Set(open.asked.map((url) => new URL(url).pathname))).toEqual(
      new Set(['/', '/events', '/control', '/ask']),
    )
    expect(open.asked.filter((asked) => !asked.startsWith(url()))).toEqual([])
    const answer = await fetch(url())
    const policy = answer.headers.get('content-security-policy')
    expect(policy).toMatch(/^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; /)
    const post = (headers: Readonly<Record<string, string>>) =>
      fetch(`${url()}control`, { method: 'POST', headers, body: '{"do":"freeze"}' })
    expect((await post({ 'content-type': 'application/json', origin: 'http://evil.example' })).status).toBe(
      403,
    )
    expect((await post({ 'content-type': 'text/plain' })).status).toBe(415)
    expect(show.snapshot().lanes.some(({ store }) => store?.state === 'frozen')).toBe(false)
  })
})
