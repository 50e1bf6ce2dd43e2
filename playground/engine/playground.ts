import type { PlayStore } from '../stores/store.ts'
import { copyApp } from './app.ts'
import { type Journal, makeJournal } from './events.ts'
import { Lane, type LaneOptions } from './lane.ts'

export interface PlaygroundOptions {
  /** The directory of an app; the sample when absent. */
  readonly app?: string | undefined
  /** VCAP_SERVICES for lanes whose store is `given`. */
  readonly given?: string | undefined
}

/** Lanes with the same app. A control acts on all of them, at the same time. */
export class Playground {
  readonly journal: Journal = makeJournal()
  readonly #options: PlaygroundOptions
  #app: string | undefined
  #lanes: readonly Lane[] = []

  constructor(options: PlaygroundOptions) {
    this.#options = options
  }

  get isOwnApp(): boolean {
    return this.#options.app !== undefined
  }

  get given(): string | undefined {
    return this.#options.given
  }

  get lanes(): readonly Lane[] {
    return this.#lanes
  }

  /** Stops what runs, and starts these lanes. */
  async open(lanes: readonly LaneOptions[]): Promise<void> {
    await this.stop()
    this.#app ??= copyApp(this.#options.app)
    const app = this.#app
    const started = await Promise.allSettled(
      lanes.map((options, index) =>
        Lane.start(String(index), app, options, this.journal, this.#options.given),
      ),
    )
    this.#lanes = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const failed = started.find((result) => result.status === 'rejected')
    if (failed === undefined) return
    await this.stop()
    throw failed.reason
  }

  async stop(): Promise<void> {
    const lanes = this.#lanes
    this.#lanes = []
    await Promise.all(lanes.map((lane) => lane.stop()))
  }

  async kill(index: number): Promise<void> {
    await this.#inAll((lane) => lane.kill(index))
  }

  /** Starts the instances that do not run. */
  async startMissing(): Promise<void> {
    await this.#inAll((lane) =>
      Promise.all(Array.from({ length: lane.options.instances }, (_, index) => lane.startInstance(index))),
    )
  }

  async restartInstances(): Promise<void> {
    await this.#inAll((lane) => lane.restartInstances())
  }

  /** Makes a new droplet, and starts the instances from it. */
  async restage(): Promise<void> {
    await this.#inAll(async (lane) => {
      await lane.stage()
      await lane.restartInstances()
    })
  }

  async clickInParallel(visitor: string, times: number): Promise<void> {
    await this.#inAll((lane) => lane.shopper(visitor).clickInParallel(times))
  }

  stickTo(isOn: boolean): void {
    for (const lane of this.#lanes) lane.stickTo(isOn)
  }

  async freezeStores(): Promise<void> {
    await this.#inStores('freeze', async (lane, freeze) => {
      freeze()
      lane.tellStore('frozen')
    })
  }

  async thawStores(): Promise<void> {
    await this.#inStores('thaw', async (lane, thaw) => {
      thaw()
      lane.tellStore('up')
    })
  }

  async restartStores(): Promise<void> {
    await this.#inStores('restart', async (lane, restart) => {
      lane.tellStore('restarting')
      await restart()
      lane.tellStore('up')
    })
  }

  async failOver(): Promise<void> {
    await this.#inStores('failOver', async (lane, failOver) => {
      lane.tellStore('failing over')
      await failOver()
      lane.tellStore('up')
    })
  }

  async rotatePasswords(): Promise<void> {
    await this.#inStores('rotate', async (lane, rotate) => {
      await rotate()
      lane.tellStore('up, with a new password')
    })
  }

  async #inAll(act: (lane: Lane) => Promise<unknown>): Promise<void> {
    await Promise.all(this.#lanes.map(act))
  }

  async #inStores<Fault extends 'freeze' | 'thaw' | 'restart' | 'failOver' | 'rotate'>(
    fault: Fault,
    act: (lane: Lane, fault: NonNullable<PlayStore[Fault]>) => Promise<void>,
  ): Promise<void> {
    await this.#inAll(async (lane) => {
      const does = lane.store?.[fault]
      if (does !== undefined) await act(lane, does)
    })
  }
}
