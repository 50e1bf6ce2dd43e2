import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

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
