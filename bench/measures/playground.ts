import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CDPSession, Page } from 'playwright-core'
import { until } from '../../lab/processes/until.ts'
import { NO_BROWSER, startBrowser } from '../../lab/web/chromium.ts'
import type { Snapshot } from '../../playground/server/snapshot.ts'
import { type Benchmark, countSteps, NotHere, type Table } from '../benchmark.ts'
import { readTimes } from '../parts/machine.ts'
import { byMeasure, median } from '../parts/medians.ts'

// The playground's page with 200 requests a second: is it responsive, does it grow, and what limits the rate?

const PROGRAM = join(import.meta.dirname, '../../dist/php-sessions.mjs')
/** Of /proc/PID/stat. */
const TICKS_PER_SECOND = 100
const [REST_SECONDS, CLICK_MILLISECONDS] = [10, 1000]
const WATCH_LONG_TASKS = `
  longTasks = []
  new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ entryTypes: ['longtask'] })
`

/** A page in a browser, with the playground that serves it. */
interface Opened {
  readonly url: string
  readonly pid: number
  readonly page: Page
  readonly session: CDPSession
}

export const playground: Benchmark = async (run) => {
  if (NO_BROWSER !== undefined) throw new NotHere(NO_BROWSER)
  const [parts, seconds] = [run.pick(3, 5), run.pick(20, 60)]
  const step = countSteps(run, parts + 1)
  const program = spawn(process.execPath, [PROGRAM, 'playground'], { stdio: ['ignore', 'pipe', 'inherit'] })
  process.once('exit', () => program.kill())
  let said = ''
  program.stdout.on('data', (text) => {
    said += text
  })
  await until('the address of the page', () => said.includes('http://'))
  const browser = await startBrowser()
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 1000 } })
    page.setDefaultTimeout(120_000)
    const url = /http:\S+/.exec(said)?.[0] ?? ''
    await page.goto(url)
    await page.locator('[role=status][aria-busy=false]', { hasText: /^ready$/ }).waitFor()
    await page.evaluate(WATCH_LONG_TASKS)
    const session = await page.context().newCDPSession(page)
    const opened = { url, pid: program.pid ?? 0, page, session }
    const atRest = await measure(opened, REST_SECONDS)
    step()
    await page.getByRole('switch', { name: '200 requests a second' }).click()
    const loaded = []
    for (let part = 0; part < parts; part++) {
      loaded.push(await measure(opened, seconds))
      step()
    }
    return {
      versions: { browser: `Chromium ${browser.version()}` },
      conditions: [
        `two lanes, local files and the managed handler on Redis; ${parts} parts of ${seconds} s, a click each second`,
      ],
      tables: { 'the page': besideEachOther(byMeasure([atRest]), byMeasure(loaded)) },
    }
  } finally {
    await browser.close()
    program.kill('SIGINT')
  }
}

function besideEachOther(atRest: ReturnType<typeof byMeasure>, loaded: typeof atRest): Table {
  return Object.fromEntries(
    Object.entries(loaded).map(([what, rounds]) => [
      what,
      { 'at rest': atRest[what] ?? [], '200 requests a second': rounds },
    ]),
  )
}

/** What happens within some seconds. */
async function measure({ url, pid, page, session }: Opened, seconds: number) {
  const [before, own, times, began] = [
    answersOf(await snapshot(url)),
    cpuSeconds(pid),
    readTimes(),
    performance.now(),
  ]
  const clicks: number[] = []
  while (performance.now() - began < seconds * 1000) {
    clicks.push(await clickOnce(page))
    await sleep(CLICK_MILLISECONDS)
  }
  const spent = (performance.now() - began) / 1000
  const [now, used] = [await snapshot(url), readTimes()]
  const tasks: readonly number[] = await page.evaluate('longTasks.splice(0)')
  return {
    'requests/s': (answersOf(now) - before) / spent,
    'p99 ms of a page': Math.max(
      ...now.lanes.flatMap((lane) => lane.seconds.slice(-10).map(({ p99 }) => p99 ?? 0)),
    ),
    'click ms': median(clicks),
    'slowest click ms': Math.max(...clicks),
    'long tasks/min': (tasks.length / spent) * 60,
    'longest task ms': Math.max(0, ...tasks),
    'heap MB': await heapMegabytes(session),
    'memory MB': Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024,
    'cores of the playground': (cpuSeconds(pid) - own) / spent,
    'cores of the machine': (used.used - times.used) / TICKS_PER_SECOND / spent,
  }
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

async function snapshot(url: string): Promise<Snapshot> {
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

/** Of the process that serves the page, routes and clicks. */
function cpuSeconds(pid: number): number {
  const [, own = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
  const [user = 0, system = 0] = own.split(' ').slice(11, 13).map(Number)
  return (user + system) / TICKS_PER_SECOND
}

async function heapMegabytes(cdp: CDPSession): Promise<number> {
  await cdp.send('HeapProfiler.collectGarbage')
  const { usedSize } = await cdp.send('Runtime.getHeapUsage')
  return usedSize / 2 ** 20
}
