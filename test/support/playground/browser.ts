import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, chromium, type Page } from 'playwright-core'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync)

/** Why there is no browser here; undefined if there is one. */
export const NO_BROWSER =
  CHROMIUM === undefined ? 'there is no Chromium: package chromium of Debian' : undefined

/** It asks nobody but the page's server. */
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Starts Debian's Chromium without a window. */
export function startBrowser(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error(NO_BROWSER)
  return chromium.launch({ executablePath: CHROMIUM, args: QUIET })
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe-core finds on a page that is serious or critical: the rule and the places. */
export async function findBarriers(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE)
  const found: readonly { impact: string; id: string; targets: string }[] = await page.evaluate(`
    axe.run().then(({ violations }) => violations.map(({ id, impact, nodes }) => ({
      id, impact, targets: nodes.map(({ target }) => target.join(' ')).join(', '),
    })))
  `)
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, targets }) => `${id}: ${targets}`)
}
