import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { CDPSession, Page } from 'playwright-core'
import { until } from '../lab/processes/until.ts'
import { startBrowser } from '../lab/web/chromium.ts'
import type { Snapshot } from '../playground/server/snapshot.ts'

// The playground's page with 200 requests a second: is it responsive, does it grow, and what limits the rate?
//
//     npx tsx bench/playground.ts [--seconds 300]

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '300' } } })
const SECONDS = Number(values.seconds)
const PARTS = 5
const PROGRAM = join(import.meta.dirname, '../dist/php-sessions.mjs')
/** Of /proc/PID/stat. */
const TICKS_PER_SECOND = 100

const playground = spawn(process.execPath, [PROGRAM, 'playground'], { stdio: ['ignore', 'pipe', 'inherit'] })
process.once('exit', () => playground.kill())
let said = ''
playground.stdout.on('data', (text) => {
  said += text
})
await until('the address of the page', () => said.includes('http://'))
const url = /http:\S+/.exec(said)?.[0] ?? ''
const browser = await startBrowser()
const page = await browser.newPage({ viewport: { width: 1440, height: 1000 } })
page.setDefaultTimeout(120_000)
await page.goto(url)
await page.locator('[role=status][aria-busy=false]', { hasText: /^ready$/ }).waitFor()
await page.evaluate(`
  longTasks = []
  new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ entryTypes: ['longtask'] })
`)
const session = await page.context().newCDPSession(page)

print(
  'after',
  'requests/s',
  'p99 of the page, ms',
  'click, ms: median/max',
  'long tasks: n/max',
  'heap, MB',
  'RSS, MB',
  'CPU: node / machine',
)
await measure('the start', 10)
await page.getByRole('switch', { name: '200 requests a second' }).click()
for (let part = 1; part <= PARTS; part++)
  await measure(`${Math.round((part * SECONDS) / PARTS)} s`, SECONDS / PARTS)
await browser.close()
playground.kill('SIGINT')

/** What happens within some seconds: a line of the table. */
async function measure(name: string, seconds: number): Promise<void> {
  const [before, cpu, began] = [answersOf(await snapshot()), cpuSeconds(), performance.now()]
  const clicks: number[] = []
  while (performance.now() - began < seconds * 1000) {
    clicks.push(await clickOnce(page))
    await sleep(1000)
  }
  const spent = (performance.now() - began) / 1000
  const now = await snapshot()
  const tasks: readonly number[] = await page.evaluate('longTasks.splice(0)')
  clicks.sort((a, b) => a - b)
  const slowest = Math.max(...now.lanes.flatMap((lane) => lane.seconds.slice(-10).map(({ p99 }) => p99 ?? 0)))
  print(
    name,
    ((answersOf(now) - before) / spent).toFixed(0),
    String(slowest),
    `${Math.round(clicks[Math.floor(clicks.length / 2)] ?? 0)} / ${Math.round(clicks.at(-1) ?? 0)}`,
    `${tasks.length} / ${Math.round(Math.max(0, ...tasks))}`,
    await heapMegabytes(session),
    (
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${playground.pid}/status`, 'utf8'))?.[1]) / 1024
    ).toFixed(0),
    cpuSeconds()
      .map((after, at) => `${Math.round((100 * (after - (cpu[at] ?? 0))) / spent)} %`)
      .join(' / '),
  )
}

/** From a click on a switch until the page shows that the playground has turned it. */
function clickOnce(on: Page): Promise<number> {
  return on.evaluate(`new Promise((resolve) => {
    const button = [...document.querySelectorAll('[role=switch]')].find((one) => one.innerText.includes('Ada clicks'))
    const began = performance.now()
    const observer = new MutationObserver(() => {
      observer.disconnect()
      requestAnimationFrame(() => resolve(performance.now() - began))
    })
    observer.observe(button, { attributes: true, attributeFilter: ['aria-checked'] })
    button.click()
  })`)
}

async function snapshot(): Promise<Snapshot> {
  const answer = await fetch(`${url}events`)
  let text = ''
  for await (const chunk of answer.body ?? []) {
    text += Buffer.from(chunk).toString()
    if (text.includes('\n\n')) break
  }
  return JSON.parse(text.slice('data: '.length, text.indexOf('\n\n')))
}

function answersOf({ lanes }: Snapshot): number {
  return lanes.flatMap(({ statuses }) => Object.values(statuses)).reduce((sum, count) => sum + count, 0)
}

/** Of the process that serves the page, routes and clicks; and of the whole machine, with whatever else runs on it. */
function cpuSeconds(): readonly [number, number] {
  const [, own = ''] = readFileSync(`/proc/${playground.pid}/stat`, 'utf8').split(') ')
  const [user = 0, system = 0] = own.split(' ').slice(11, 13).map(Number)
  const [, , ...all] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').split(' ').map(Number)
  const idle = (all[3] ?? 0) + (all[4] ?? 0)
  const busy = all.slice(0, 8).reduce((sum, ticks) => sum + ticks, 0) - idle
  return [(user + system) / TICKS_PER_SECOND, busy / TICKS_PER_SECOND]
}

async function heapMegabytes(cdp: CDPSession): Promise<string> {
  await cdp.send('HeapProfiler.collectGarbage')
  const { usedSize } = await cdp.send('Runtime.getHeapUsage')
  return (usedSize / 2 ** 20).toFixed(1)
}

/** A line of the table. */
function print(...cells: readonly string[]): void {
  process.stdout.write(`${cells.map((cell) => cell.padStart(26)).join('')}\n`)
}
