import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { until } from '../../lab/processes/until.ts'
import { startBrowser } from '../../lab/web/chromium.ts'

// Makes docs/playground.png: the scene of a crash, played by real instances. `scripts/build` first.
//
//     npx tsx scripts/parts/playground-picture.ts

const ROOT = join(import.meta.dirname, '../..')
const LIMIT_MILLISECONDS = 180_000

const playground = spawn(
  process.execPath,
  [join(ROOT, 'dist/php-sessions.mjs'), 'playground', '--scenario', 'crash'],
  { stdio: ['ignore', 'pipe', 'inherit'] },
)
process.once('exit', () => playground.kill())
let said = ''
playground.stdout.on('data', (text) => {
  said += text
})
await until('the address of the page', () => said.includes('http://'))
const browser = await startBrowser()
const page = await browser.newPage({ viewport: { width: 1440, height: 1060 }, colorScheme: 'light' })
await page.goto(/http:\S+/.exec(said)?.[0] ?? '')
await page.getByRole('table').waitFor({ timeout: LIMIT_MILLISECONDS })
await page
  .locator('[role=status][aria-busy=false]', { hasText: /^ready$/ })
  .waitFor({ timeout: LIMIT_MILLISECONDS })
await page.screenshot({ path: join(ROOT, 'docs/playground.png') })
await browser.close()
playground.kill('SIGINT')
