import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NO_BROWSER, startBrowser } from '../../../lab/web/chromium.ts'
import type { Snapshot } from '../../../playground/server/snapshot.ts'
import { findBarriers } from '../../support/playground/barriers.ts'
import { differenceOf, findCutTexts } from '../../support/playground/screenshots.ts'
import { STILL, startStill } from '../../support/playground/still.ts'

const SHOTS = join(import.meta.dirname, '../../../.cache/screenshots')
const LOOKS = [1440, 820, 390].flatMap((width) =>
  (['light', 'dark'] as const).map((colorScheme) => ({ width, colorScheme })),
)
type Look = (typeof LOOKS)[number]

const EMPTY: Snapshot = {
  ...STILL,
  busy: 'starting 2 lanes',
  scene: undefined,
  lanes: [],
  marks: [],
  story: [],
}

// A snapshot that never changes is shown, so that only the page can differ. Fonts differ between machines: a run compares
// with itself, and what must hold everywhere is asked of the layout.
describe.skipIf(NO_BROWSER !== undefined)('the look of the page', { timeout: 300_000 }, () => {
  let browser: Browser

  beforeAll(async () => {
    mkdirSync(SHOTS, { recursive: true })
    browser = await startBrowser()
  })
  afterAll(() => browser?.close())

  /** Shows a snapshot in a window of its own. */
  const withPage = async <Result>(
    snapshot: Snapshot,
    { width, colorScheme }: Look,
    use: (page: Awaited<ReturnType<Browser['newPage']>>) => Promise<Result>,
  ): Promise<Result> => {
    const still = await startStill(snapshot)
    const page = await browser.newPage({
      viewport: { width, height: 1000 },
      colorScheme,
      reducedMotion: 'reduce',
    })
    try {
      await page.goto(still.url)
      await page
        .getByRole('status')
        .filter({ hasText: snapshot.busy ?? 'ready' })
        .waitFor()
      return await use(page)
    } finally {
      await page.close()
      still.stop()
    }
  }
  const shoot = (snapshot: Snapshot, look: Look, name: string) =>
    withPage(snapshot, look, (page) =>
      page.screenshot({ path: join(SHOTS, `${name}-${look.width}-${look.colorScheme}.png`), fullPage: true }),
    )
  const compare = async (one: Buffer, other: Buffer) => {
    const page = await browser.newPage()
    return differenceOf(page, one, other).finally(() => page.close())
  }

  test.for(LOOKS)(
    '$width, $colorScheme: a second pass shows the same, no text is cut off, nothing is in the way',
    async (look) => {
      const first = await shoot(STILL, look, 'still')
      await withPage(STILL, look, async (page) => {
        expect(await compare(first, await page.screenshot({ fullPage: true }))).toBeLessThan(0.0005)
        expect(await findCutTexts(page)).toEqual([])
        expect(await findBarriers(page)).toEqual([])
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(look.width)
      })
    },
  )

  test('while it starts no text is cut off and nothing is in the way, on a phone', async () => {
    await withPage(EMPTY, { width: 390, colorScheme: 'dark' }, async (page) => {
      expect(await findCutTexts(page)).toEqual([])
      expect(await findBarriers(page)).toEqual([])
    })
  })

  test('the comparison sees a single wrong lamp', async () => {
    const [look] = LOOKS
    if (look === undefined) throw new Error('expected a look')
    const lanes = STILL.lanes.map((lane) => ({
      ...lane,
      instances: lane.instances.map((instance) => ({ ...instance, state: 'down' as const })),
    }))
    const one = await shoot(STILL, look, 'still')
    expect(await compare(one, await shoot({ ...STILL, lanes }, look, 'changed'))).toBeGreaterThan(0.0005)
  })

  test('what is compared stands side by side', async () => {
    await withPage(STILL, { width: 1440, colorScheme: 'light' }, async (page) => {
      const tops = (selector: string) =>
        page.evaluate(
          `[...document.querySelectorAll('.lane > ${selector}')].map((element) => Math.round(element.getBoundingClientRect().top))`,
        )
      for (const selector of ['header', '.verdict', '.visitors', '.details'])
        expect(new Set((await tops(selector)) as number[]).size, selector).toBe(1)
    })
  })
})
