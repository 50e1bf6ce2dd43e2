import { setTimeout as sleep } from 'node:timers/promises'
import type { Click } from '../engine/events.ts'
import type { Lane } from '../engine/lane.ts'
import type { LockSight } from '../engine/lock-sight.ts'
import type { Playground } from '../engine/playground.ts'
import { ADA, judge, type Verdict } from './measures.ts'
import { type OwnVisit, visitOwnPages } from './own-pages.ts'
import type { Scene, Step } from './scene.ts'

const INSTANCES = 2
/** Between clicks while something is under way. */
const PAUSE_MILLISECONDS = 250

export interface LaneResult {
  readonly lane: Lane
  readonly verdicts: readonly Verdict[]
}

export interface Telling {
  /** The lanes are up. */
  open(lanes: readonly Lane[]): void | Promise<void>
  /** A step of the scene begins. */
  step(says: string): void
  /** How long to wait after a click and a step, for people who watch. */
  readonly paceMilliseconds?: number
  /** Who has a session that others wait for. */
  lock(lane: Lane, sight: LockSight): void
  /** What a command of php-sessions has said. */
  said(lane: Lane, text: string): void
  /** Something about the app's own pages. */
  own(lane: Lane, lines: readonly string[]): void
}

/** Opens the lanes of a scene, plays it, and compares what was seen with what is promised. The lanes stay open. */
export async function playScene(
  scene: Scene,
  playground: Playground,
  telling: Telling,
): Promise<readonly LaneResult[]> {
  await playground.open(
    scene.lanes.map(({ way, store, settings = {} }) => ({
      ...{ way, store, settings },
      instances: INSTANCES,
      isSticky: scene.isSticky,
    })),
  )
  await telling.open(playground.lanes)
  const clicks = new Map<string, Click[]>(playground.lanes.map(({ id }) => [id, []]))
  const locks = new Map<string, LockSight[]>(playground.lanes.map(({ id }) => [id, []]))
  const end = playground.journal.listen((event) => {
    if (event.kind === 'click') clicks.get(event.lane)?.push(event.click)
    if (event.kind !== 'lock' || event.sight === undefined) return
    locks.get(event.lane)?.push(event.sight)
    const lane = playground.lanes.find(({ id }) => id === event.lane)
    if (lane !== undefined) telling.lock(lane, event.sight)
  })
  const visits = new Map<Lane, OwnVisit>()
  try {
    for (const step of scene.steps) {
      if (step.do === 'visit own pages' && !playground.isOwnApp) continue
      telling.step(step.says)
      await play(step, playground, telling, visits)
      await sleep(telling.paceMilliseconds ?? 0)
    }
  } finally {
    end()
  }
  return Promise.all(
    playground.lanes.map(async (lane, index) => {
      const shoppers = new Set([lane.shopper(ADA), ...lane.shoppers.values()])
      const seen = {
        ledgers: [...shoppers].map(({ ledger }) => ledger),
        clicks: clicks.get(lane.id) ?? [],
        locks: locks.get(lane.id) ?? [],
      }
      const verdicts = (scene.lanes[index]?.promises ?? []).map((promised) => judge(promised, seen))
      const own = await visits.get(lane)?.judge(lane.options.way !== 'files')
      return { lane, verdicts: own === undefined ? verdicts : [...verdicts, own] }
    }),
  )
}

async function play(
  step: Step,
  playground: Playground,
  telling: Telling,
  visits: Map<Lane, OwnVisit>,
): Promise<void> {
  const { lanes } = playground
  const pause = () => sleep(telling.paceMilliseconds ?? 0)
  const inAll = (act: (lane: Lane) => Promise<unknown>) => Promise.all(lanes.map(act))
  const whileClicking = (visitors: readonly string[], act: (lane: Lane) => Promise<unknown>) =>
    inAll((lane) => clickWhile([lane], act(lane), visitors))
  switch (step.do) {
    case 'click':
      await inAll(async (lane) => {
        for (let i = 0; i < step.times; i++) {
          await lane.shopper(ADA).click(step.action)
          await pause()
        }
      })
      return
    case 'click each':
      await inAll((lane) => Promise.all(step.visitors.map((name) => lane.shopper(name).click(step.action))))
      return
    case 'move to a new store':
      await whileClicking(step.visitors, (lane) => lane.moveToNewStore())
      return
    case 'copy sessions':
      await whileClicking(step.visitors, async (lane) => {
        const said = await lane.copySessions()
        if (said !== undefined) telling.said(lane, said)
      })
      return
    case 'unbind old store':
      await whileClicking(step.visitors, (lane) => lane.unbindPrevious())
      return
    case 'remove old store':
      await whileClicking(step.visitors, (lane) => lane.removeOldStore())
      return
    case 'click in parallel':
      await inAll((lane) => lane.shopper(ADA).clickInParallel(step.times))
      return
    case 'visit own pages':
      await inAll(async (lane) => {
        const visit = await visitOwnPages(lane)
        visits.set(lane, visit)
        telling.own(lane, visit.lines)
      })
      return
    case 'kill':
      await inAll((lane) => lane.kill(lane.shopper(ADA).servedBy() ?? 0))
      return
    case 'start missing':
      return playground.startMissing()
    case 'restart instances':
      return playground.restartInstances()
    case 'freeze':
      return playground.freezeStores()
    case 'thaw':
      return playground.thawStores()
    case 'rotate':
      return playground.rotatePasswords()
    case 'restart store':
      return clickWhile(lanes, playground.restartStores())
    case 'fail over':
      return clickWhile(lanes, playground.failOver())
    case 'open slow pages':
      await inAll(async (lane) => {
        const opening = lane.shopper(ADA).openSlowPages(step.times, step.seconds)
        await sleep(PAUSE_MILLISECONDS)
        await clickUntil(lane, 'Bob', opening)
      })
  }
}

async function clickWhile(
  lanes: readonly Lane[],
  under: Promise<unknown>,
  visitors: readonly string[] = [ADA],
): Promise<void> {
  await Promise.all(lanes.flatMap((lane) => visitors.map((name) => clickUntil(lane, name, under))))
}

/** Clicks until something has ended, at least once. */
async function clickUntil(lane: Lane, name: string, under: Promise<unknown>): Promise<void> {
  let isOver = false
  const over = under.finally(() => {
    isOver = true
  })
  do {
    await lane.shopper(name).click('visit')
    await Promise.race([sleep(PAUSE_MILLISECONDS), over])
  } while (!isOver)
  await over
}
