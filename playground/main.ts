import { existsSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { FAILED, WRONG_USAGE } from '../src/core/exit-status.ts'
import { nearest, oneLine } from '../src/core/text.ts'
import { endBySignals } from './ending.ts'
import { hasPhp } from './engine/app.ts'
import type { Lane } from './engine/lane.ts'
import { readLanes } from './engine/lane-words.ts'
import { Playground } from './engine/playground.ts'
import { findMissing, whyNotIn } from './machine.ts'
import { type LaneResult, playScene } from './scenes/play.ts'
import { SCENES } from './scenes/scenes.ts'
import { startPageServer } from './server/http.ts'
import { makePage } from './server/page.ts'
import { Show } from './server/show.ts'
import { whyNoStore } from './stores/start.ts'
import { indent, renderList, renderOpening, renderResult, renderStaging, renderVerdict } from './terminal.ts'

/** A scene has lanes of its own. */
const PAGE_FLAGS = ['lanes', 'instances', 'port']

type Flags = Readonly<Record<string, string>>

/** The command `playground`: its arguments and flags as src/cli has read them. Gives the exit status. */
export async function play(args: readonly string[], flags: Flags): Promise<number> {
  if (flags.list !== undefined) return say(renderList())
  const wanted = flags.scenario?.split(',') ?? []
  const scenes = wanted.flatMap((id) => SCENES.filter((scene) => id === 'all' || scene.id === id))
  const stranger = wanted.find((id) => id !== 'all' && !SCENES.some((scene) => scene.id === id))
  if (stranger !== undefined)
    return refuse(
      `there is no scene ${oneLine(stranger)}; did you mean ${nearest(stranger, ['all', ...SCENES.map(({ id }) => id)])}? See php-sessions playground --list`,
    )
  const app = args[0] === undefined ? undefined : resolve(args[0])
  if (app !== undefined && !(existsSync(app) && statSync(app).isDirectory()))
    return refuse(`there is no directory ${app}: expected a folder with a PHP app`)
  if (app !== undefined && !hasPhp(app))
    return refuse(`there is no page of PHP in ${app}: expected a folder with a PHP app`)
  const misplaced = PAGE_FLAGS.find((name) => flags.headless !== undefined && flags[name] !== undefined)
  if (misplaced !== undefined)
    return refuse(`--${misplaced} is for the page: leave out --headless or --${misplaced}`)
  const temporary = whyNotIn(tmpdir())
  if (temporary !== undefined) return refuse(temporary, FAILED)
  const missing = findMissing()
  if (missing.length > 0) return refuse(missing.join('\n'), FAILED)
  const playground = new Playground({ app, given: process.env.VCAP_SERVICES })
  endBySignals()
  if (flags.headless !== undefined)
    return playInTerminal(playground, scenes.length === 0 ? SCENES : scenes, app)
  return openPage(playground, scenes, flags)
}

/** Serves the page until this process ends; plays scenes first, if any are named. */
async function openPage(playground: Playground, scenes: typeof SCENES, flags: Flags): Promise<number> {
  const { given } = playground
  const instances = Number(flags.instances ?? 2)
  const lanes = readLanes((flags.lanes ?? 'files,managed:redis').split(','), instances, false)
  if (typeof lanes === 'string') return refuse(lanes)
  const lacking = lanes.map(({ store }) => whyNoStore(store, given)).find((why) => why !== undefined)
  if (lacking !== undefined) return refuse(lacking, FAILED)
  const show = new Show(playground)
  const page = makePage(given !== undefined)
  const port = Number(flags.port ?? 0)
  if (port > 65535) return refuse(`there is no port ${port}: expected 1 to 65535`)
  const server = await startPageServer(playground, show, { port, instances, page }).catch(
    (error: NodeJS.ErrnoException) => whyNoServer(error, port),
  )
  if (typeof server === 'string') return refuse(server, FAILED)
  say(`The playground is at ${server.url}\nCtrl-C ends it, and all that it has started.\n`)
  const [scene] = scenes
  show.control(
    scene === undefined ? { do: 'open', lanes: [] } : { do: 'play', scene: scene.id },
    lanes,
    scene,
  )
  return new Promise(() => {})
}

function whyNoServer({ code, message }: NodeJS.ErrnoException, port: number): string {
  return code === 'EADDRINUSE'
    ? `port ${port} of 127.0.0.1 is in use: choose another, or leave out --port`
    : `the page cannot be served on port ${port} of 127.0.0.1: ${message}`
}

async function playInTerminal(
  playground: Playground,
  scenes: typeof SCENES,
  app: string | undefined,
): Promise<number> {
  const results: LaneResult[] = []
  try {
    for (const scene of scenes) {
      say(`${renderOpening(scene)}  ... starting ${scene.lanes.length} lanes of two instances\n`)
      const told = new Map<Lane, number>()
      const seen = await playScene(scene, playground, {
        open: async (lanes) => {
          for (const lane of lanes)
            say(renderStaging(lane) + (app === undefined ? '' : await renderVerdict(lane)))
        },
        step: (says) => say(`  - ${says}\n`),
        lock: (lane, { waiting, text }) => {
          if (waiting <= (told.get(lane) ?? -1)) return
          told.set(lane, waiting)
          say(`    ${lane.title}:\n      ${text}\n`)
        },
        said: (lane, text) => say(`  ${lane.title}:\n${indent(text)}`),
        own: (lane, lines) => say(`  ${lane.title}:\n${indent(lines.join('\n'))}`),
      })
      say(`\n${renderResult(seen)}\n`)
      results.push(...seen)
    }
  } catch (error) {
    return refuse(`the playground stopped: ${(error as Error).message}`, FAILED)
  } finally {
    await playground.stop()
  }
  const isKept = results.every(({ verdicts }) => verdicts.every((verdict) => verdict.isKept))
  say(isKept ? 'Everything was as promised.\n' : 'Not everything was as promised: see the last column.\n')
  return isKept ? 0 : FAILED
}

function say(text: string): number {
  process.stdout.write(text)
  return 0
}

function refuse(text: string, status: number = WRONG_USAGE): number {
  process.stderr.write(`${text}\n`)
  return status
}
