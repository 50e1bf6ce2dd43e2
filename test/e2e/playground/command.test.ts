import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { makeApp } from '../../../lab/app.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { until } from '../../../lab/processes/until.ts'
import type { Click } from '../../../playground/engine/events.ts'
import type { LockSight } from '../../../playground/engine/lock-sight.ts'
import { Playground } from '../../../playground/engine/playground.ts'
import type { WayName } from '../../../playground/engine/ways.ts'
import { playScene, type Telling } from '../../../playground/scenes/play.ts'
import type { Scene } from '../../../playground/scenes/scene.ts'
import { SCENES } from '../../../playground/scenes/scenes.ts'

const ROOT = join(import.meta.dirname, '../../..')
const PROGRAM = join(ROOT, 'dist/php-sessions.mjs')
if (!existsSync(PROGRAM)) throw new Error('there is no program to test: run scripts/build')

/** A limit for what hangs, on a machine that does much else. */
const SLOW = { timeout: 300_000 }
const QUIET: Telling = { open: () => {}, step: () => {}, lock: () => {}, said: () => {}, own: () => {} }
const sceneOf = (id: string) => SCENES.find((scene) => scene.id === id) as Scene

function makePlayground(): Playground {
  const playground = new Playground({})
  onTestFinished(() => playground.stop())
  return playground
}

test('a promise that is not kept is seen', async () => {
  const cart = sceneOf('cart')
  const [peers, native] = cart?.lanes ?? []
  if (peers === undefined || native === undefined) throw new Error('expected two lanes')
  const lanes = [{ ...peers, promises: native.promises }]
  const [result] = await playScene({ ...cart, lanes }, makePlayground(), QUIET)
  expect(result?.verdicts).toContainEqual({
    promised: 'no update lost',
    seen: expect.stringMatching(/^\d+ of 21 updates lost$/),
    isKept: false,
  })
})

test(
  'sessions move to a new store under load: nobody is logged out or turned away, and no update is lost',
  SLOW,
  async () => {
    const playground = makePlayground()
    const clicks: Click[] = []
    playground.journal.listen((event) => {
      if (event.kind === 'click' && event.lane === '1') clicks.push(event.click)
    })
    const said: string[] = []
    const results = await playScene(sceneOf('move'), playground, {
      ...QUIET,
      said: ({ options }, text) => said.push(`${options.way}: ${text}`),
    })
    expect(results.flatMap(({ verdicts }) => verdicts.filter(({ isKept }) => !isKept))).toEqual([])
    expect(clicks.filter(({ outcome }) => outcome !== 'known')).toEqual([])
    expect(clicks.length).toBeGreaterThan(30)
    expect(said).toEqual([expect.stringMatching(/^managed: copied 1 session/)])
    const { store } = playground.lanes[1] ?? {}
    expect(JSON.parse(store?.services() ?? '')).toMatchObject({ redis: [{ name: 'new-redis-sessions' }] })
    expect(store?.keys?.().filter((key) => !key.endsWith('_PREV'))).toHaveLength(6)
  },
)

test(
  'while requests wait, the page shows which request has the session, as php-sessions locks says',
  SLOW,
  async () => {
    const seen = new Map<WayName, LockSight[]>([
      ['native', []],
      ['managed', []],
    ])
    const playground = makePlayground()
    const results = await playScene(sceneOf('slow'), playground, {
      ...QUIET,
      lock: ({ options }, sight) => void seen.get(options.way)?.push(sight),
    })
    expect(results.flatMap(({ verdicts }) => verdicts.filter(({ isKept }) => !isKept))).toEqual([])
    expect(seen.get('managed')).toContainEqual({
      waiting: expect.toSatisfy((waiting) => waiting === 1 || waiting === 2),
      holder: expect.stringMatching(/^GET \/php-sessions-playground\.php of instance [01]$/),
      isNamed: true,
      text: expect.stringMatching(/ for GET \/.*, which has had the session for \d\.\d s$/),
    })
    expect(seen.get('native')).toContainEqual({
      waiting: 0,
      holder: expect.stringMatching(/^a request of process \d+$/),
      isNamed: false,
      text: expect.stringContaining('the lock names neither its page nor the requests that wait'),
    })
  },
)

const COUNTER = `<?php session_start(); $_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
echo '<a href="/other.php">other</a> <a href="/logout.php">leave</a>';`

test("an app's own pages are visited, and its own session outlives a crash where a store is bound", async () => {
  const app = makeApp({
    'index.php': COUNTER,
    'other.php': '<?php echo "other";',
    'logout.php': '<?php http_response_code(500);',
    'composer.lock': '{"packages": [{"name": "symfony/framework-bundle", "version": "v6.4.0"}]}',
  })
  const child = execFile(process.execPath, [PROGRAM, 'playground', app, '--scenario', 'crash', '--headless'])
  let out = ''
  child.stdout?.on('data', (text) => {
    out += text
  })
  const [status] = await once(child, 'close')
  expect(out).toMatch(/php-sessions explain says of this app:\n {4}Framework\n {4}.*Symfony/)
  expect(out).toMatch(/^ {4}\/ +instance \d: status 200\n {4}\/other.php +instance \d: status 200$/m)
  expect(out).not.toContain('/logout.php')
  expect(out.match(/^ +the app's own session is kept +it is kept +yes$/gm)).toHaveLength(2)
  expect(out).toContain('Everything was as promised.')
  expect(status).toBe(0)
})

/** Throws an exception that nobody catches when the program gets SIGUSR2. */
const CRASHING = {
  NODE_OPTIONS: "--import=data:text/javascript,process.on('SIGUSR2',()=>{throw(new(Error)('a%20crash'))})",
}

/** How it ends, what it does then, and the exit status. */
const ENDS = [
  ['SIGINT', '--headless', 'Ada logs in', 130],
  ['SIGTERM', '--headless', 'starting 2 lanes', 143],
  ['SIGHUP', '--port=0', 'The playground is at', 129],
  ['SIGUSR2', '--headless', 'Ada logs in', 1],
  ['SIGKILL', '--headless', 'Ada logs in', null],
] as const

test.for(ENDS)('nothing survives a %s, with %s, at “%s”', SLOW, async ([signal, flag, moment, status]) => {
  const directory = makeScratch('end')
  const child = spawn(process.execPath, [PROGRAM, 'playground', '--scenario', 'logged-out', flag], {
    env: { ...process.env, ...CRASHING, TMPDIR: directory },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  await untilPrinted(child, moment)
  await until('it to have started something', () => processesBelow(directory).length > 3)
  child.kill(signal)
  const [ended] = await once(child, 'close')
  expect(ended).toBe(status)
  await until('the end of all its processes', () => processesBelow(directory).length === 0)
  await until('its directories to be removed', () => readdirSync(directory).length === 0)
})

test('nothing survives a SIGTERM to the npx that runs it', SLOW, async () => {
  const directory = makeScratch('end')
  const command = `${process.execPath} ${PROGRAM} playground`
  const npx = spawn('npm', ['exec', '--offline', '--call', command], {
    env: { ...process.env, TMPDIR: directory },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  await untilPrinted(npx, 'The playground is at')
  await until('it to have started something', () => processesBelow(directory).length > 5)
  npx.kill()
  await until('the end of all its processes', () => processesBelow(directory).length === 0)
  await until('its directories to be removed', () => readdirSync(directory).length === 0)
})

test('it ends without a complaint when nobody reads its output any more', SLOW, async () => {
  const directory = makeScratch('end')
  const child = spawn(process.execPath, [PROGRAM, 'playground', '--scenario', 'logged-out', '--headless'], {
    env: { ...process.env, TMPDIR: directory },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let complaint = ''
  child.stderr.on('data', (text) => {
    complaint += text
  })
  await untilPrinted(child, 'starting 2 lanes')
  child.stdout.destroy()
  const [status] = await once(child, 'close')
  expect({ status, complaint }).toEqual({ status: 141, complaint: '' })
  await until('the end of all its processes', () => processesBelow(directory).length === 0)
})

async function untilPrinted(child: ChildProcess, text: string): Promise<void> {
  let printed = ''
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`it ended, with this output:\n${printed}`)))
    child.stdout?.on('data', (chunk) => {
      printed += chunk
      if (printed.includes(text)) resolve()
    })
  })
}

/** The processes that know this directory by their environment or their command line. */
function processesBelow(directory: string): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      return ['environ', 'cmdline'].some((file) =>
        readFileSync(`/proc/${pid}/${file}`, 'utf8').includes(directory),
      )
    } catch {
      return false // it has ended, or belongs to somebody else
    }
  })
}
