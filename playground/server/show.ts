import { setTimeout as sleep } from 'node:timers/promises'
import type { Stamped } from '../engine/events.ts'
import type { Lane, LaneOptions } from '../engine/lane.ts'
import { startLoad } from '../engine/load.ts'
import type { Playground } from '../engine/playground.ts'
import { WAYS } from '../engine/ways.ts'
import { ADA } from '../scenes/measures.ts'
import { playScene } from '../scenes/play.ts'
import type { Scene } from '../scenes/scene.ts'
import { deedOf } from './deeds.ts'
import { explain } from './explain.ts'
import { LaneRecord } from './lane-record.ts'
import { tell } from './sentences.ts'
import type { Control, SceneView, Snapshot } from './snapshot.ts'
import { Told } from './story.ts'

const CLICK_MILLISECONDS = 1000
/** So that one can follow a scene. */
const PACE_MILLISECONDS = 700
const LOAD_PER_SECOND = 200

/** The playground as the page shows it: keeps what was seen, and does what the page asks for. */
export class Show {
  readonly #playground: Playground
  readonly #paceMilliseconds: number
  #records = new Map<string, LaneRecord>()
  #busy: string | undefined
  #problem: string | undefined
  #scene: SceneView | undefined
  #isSticky = false
  #isClicking = false
  #load: { stop(): void } | undefined
  readonly #told = new Told()
  #isOver = false
  readonly #began = performance.now()
  /** Counts changes, so that nothing is sent while nothing happens, and the page knows when it shows what it has asked for. */
  changes = 0

  constructor(playground: Playground, paceMilliseconds = PACE_MILLISECONDS) {
    this.#playground = playground
    this.#paceMilliseconds = paceMilliseconds
    playground.journal.listen((event) => this.#note(event))
    void this.#clickOnAndOn()
  }

  snapshot(): Snapshot {
    const now = this.#second()
    return {
      changes: this.changes,
      busy: this.#busy,
      problem: this.#problem,
      isSticky: this.#isSticky,
      isClicking: this.#isClicking,
      isLoaded: this.#load !== undefined,
      scene: this.#scene,
      lanes: [...this.#records.values()].map((record) => record.view(now)),
      now,
      marks: this.#told.marks,
      story: this.#told.story,
    }
  }

  /** Starts what is asked for; false if something else is under way. */
  control(control: Control, lanes: readonly LaneOptions[], scene: Scene | undefined): boolean {
    switch (control.do) {
      case 'click':
        this.#isClicking = control.isOn
        this.#tellAll(control.isOn ? `${ADA} clicks once a second.` : `${ADA} rests.`)
        break
      case 'load':
        this.#load?.stop()
        this.#load =
          control.isOn && this.#records.size > 0
            ? startLoad(this.#playground.lanes, LOAD_PER_SECOND)
            : undefined
        if (control.isOn)
          this.#mark(
            `${LOAD_PER_SECOND} requests a second`,
            `More visitors click, ${LOAD_PER_SECOND} times a second across all lanes.`,
          )
        else this.#mark('the load ends', 'The other visitors leave.')
        break
      default:
        return this.#start(control, lanes, scene)
    }
    this.changes++
    return true
  }

  async open(lanes: readonly LaneOptions[], isSticky: boolean): Promise<void> {
    this.#scene = undefined
    await this.#reset(
      `starting ${lanes.length} ${lanes.length === 1 ? 'lane' : 'lanes'}: ${lanes.map(({ way }) => WAYS[way].title).join(', ')}`,
    )
    this.#isSticky = isSticky
    await this.#playground.open(lanes)
    await this.#introduce(this.#playground.lanes)
    this.#isClicking = true
  }

  async play(scene: Scene): Promise<boolean> {
    const steps = scene.steps.filter((step) => step.do !== 'visit own pages' || this.#playground.isOwnApp)
    const { id, title, about, page } = scene
    this.#scene = {
      id,
      title,
      about,
      page,
      steps: steps.map(({ says }) => says),
      begun: 0,
      results: undefined,
    }
    await this.#reset(`starting the lanes of “${title}”`)
    this.#isSticky = scene.isSticky
    const results = await playScene(scene, this.#playground, {
      open: async (lanes) => {
        await this.#introduce(lanes)
        this.#busy = `playing “${title}”`
      },
      paceMilliseconds: this.#paceMilliseconds,
      step: (says) => {
        if (this.#scene !== undefined) this.#scene = { ...this.#scene, begun: this.#scene.begun + 1 }
        this.#mark(says, `${says.charAt(0).toUpperCase()}${says.slice(1)}.`)
      },
      // The lane shows it.
      lock: () => {},
      said: (lane, text) => this.#tellOf(lane, text.trimEnd().split('\n')),
      own: (lane, lines) => this.#tellOf(lane, lines),
    })
    const rows = results.flatMap(({ lane, verdicts }) =>
      verdicts.map((verdict) => ({ lane: lane.title, isPromised: lane.isPromised, ...verdict })),
    )
    this.#scene = { ...this.#scene, results: rows }
    const isKept = rows.every((row) => row.isKept)
    this.#told.tell(this.#second(), {
      lane: undefined,
      tone: isKept ? 'good' : 'bad',
      text: isKept
        ? `“${title}”: everything was as promised.`
        : `“${title}”: not everything was as promised.`,
      page,
    })
    return isKept
  }

  stop(): void {
    this.#isOver = true
    this.#load?.stop()
  }

  #start(control: Control, lanes: readonly LaneOptions[], scene: Scene | undefined): boolean {
    if (this.#busy !== undefined) return false
    this.#busy = 'starting'
    this.#problem = undefined
    this.changes++
    this.#carryOut(control, lanes, scene)
      .catch((error: Error) => {
        this.#problem = error.message
      })
      .finally(() => {
        this.#busy = undefined
        this.changes++
      })
    return true
  }

  async #carryOut(
    control: Control,
    lanes: readonly LaneOptions[],
    scene: Scene | undefined,
  ): Promise<unknown> {
    if (control.do === 'open') return this.open(lanes, this.#isSticky)
    if (control.do === 'play') return scene === undefined ? undefined : this.play(scene)
    const deed = deedOf(control)
    if (deed === undefined) return undefined
    this.#busy = deed.label
    this.#mark(deed.label, deed.text, deed.page)
    if (control.do === 'stick') this.#isSticky = control.isOn
    return deed.carryOut(this.#playground)
  }

  async #reset(busy: string): Promise<void> {
    this.#busy = busy
    this.#load?.stop()
    this.#load = undefined
    this.#isClicking = false
    this.#records = new Map()
    this.#told.forget()
    this.changes++
  }

  async #introduce(lanes: readonly Lane[]): Promise<void> {
    const because = await Promise.all(lanes.map(explain))
    this.#records = new Map(lanes.map((lane, at) => [lane.id, new LaneRecord(lane, because[at] ?? '')]))
    this.changes++
  }

  /** The visitor of the page clicks once a second, in each lane by itself: one that hangs does not hold up the others. */
  async #clickOnAndOn(): Promise<void> {
    const waiting = new Set<Lane>()
    while (!this.#isOver) {
      if (this.#isClicking)
        for (const lane of this.#playground.lanes) {
          if (waiting.has(lane)) continue
          waiting.add(lane)
          lane
            .shopper(ADA)
            .click('add')
            .finally(() => waiting.delete(lane))
        }
      await sleep(CLICK_MILLISECONDS, undefined, { ref: false })
    }
  }

  #note(event: Stamped): void {
    const record = this.#records.get(event.lane)
    if (record === undefined) return
    const before = event.kind === 'click' ? record.stateOf(event.click.visitor) : undefined
    record.note(event, this.#second())
    this.changes++
    const lane = this.#playground.lanes.find(({ id }) => id === event.lane)
    const sentence = lane === undefined ? undefined : tell(event, lane, before)
    if (lane !== undefined && sentence !== undefined)
      this.#told.tell(this.#second(), { lane: lane.title, ...sentence })
  }

  #tellOf({ title }: Lane, lines: readonly string[]): void {
    this.#told.tell(this.#second(), { lane: title, tone: 'plain', text: lines.join('; '), page: undefined })
  }

  /** Something is done to all lanes: it is told, and shown on the timeline. */
  #mark(label: string, text: string, page?: string): void {
    this.#told.mark(this.#second(), label)
    this.#tellAll(text, page)
  }

  #tellAll(text: string, page?: string): void {
    this.#told.tell(this.#second(), { lane: undefined, tone: 'plain', text, page })
    this.changes++
  }

  #second(): number {
    return Math.floor((performance.now() - this.#began) / 1000)
  }
}
