import type { Instance } from '../../lab/cloudfoundry/lifecycle.ts'
import { labLifecycle } from '../../lab/cloudfoundry/lifecycle-lab.ts'
import { type Router, startRouter } from '../../lab/web/router.ts'
import type { PlayStore, StoreKind, StoreState } from '../stores/store.ts'
import { Binding } from './binding.ts'
import type { Journal, LaneEvent } from './events.ts'
import { LockWatch } from './lock-watch.ts'
import { makeShopper, type Shopper } from './shopper.ts'
import { WAYS, type Way, type WayName } from './ways.ts'

export interface LaneOptions {
  readonly way: WayName
  /** Ignored by a way that needs none. */
  readonly store: StoreKind
  readonly instances: number
  readonly isSticky: boolean
  /** Settings of php-sessions besides those of its way. */
  readonly settings?: Readonly<Record<string, string>>
}

/** An app on several instances behind a router, and a way to keep its sessions. */
export class Lane {
  readonly id: string
  readonly title: string
  readonly options: LaneOptions
  readonly way: Way
  readonly shoppers = new Map<string, Shopper>()
  readonly #app: string
  readonly #binding: Binding
  readonly #locks: LockWatch
  readonly #tell: (event: LaneEvent) => void
  readonly #router: Router
  readonly #instances = new Map<number, Instance>()
  #droplet = ''
  #stagingLog = ''

  private constructor(
    id: string,
    app: string,
    options: LaneOptions,
    parts: { binding: Binding; router: Router; tell: (event: LaneEvent) => void },
  ) {
    this.id = id
    this.options = options
    this.way = WAYS[options.way]
    this.#binding = parts.binding
    this.title = [this.way.title, ...(this.store === undefined ? [] : [this.store.title])].join(', ')
    this.#app = app
    this.#router = parts.router
    this.#tell = parts.tell
    this.#locks = new LockWatch(() => this.ask('locks --json'), parts.tell)
  }

  /** Starts the store, stages the app and starts its instances. */
  static async start(
    id: string,
    app: string,
    options: LaneOptions,
    journal: Journal,
    given?: string,
  ): Promise<Lane> {
    const tell = (event: LaneEvent) => journal.tell(id, event)
    const binding = await Binding.start(WAYS[options.way], options.store, { given })
    let lane: Lane | undefined
    const router = await startRouter({
      stickyCookies: options.isSticky ? STICKY : [],
      onRequest: ({ number, path, instance, status }) => {
        const at = instance === undefined ? {} : { instance }
        lane?.noteRequest(number, status !== undefined)
        if (status === undefined) tell({ kind: 'routed', number, path, ...at })
        else tell({ kind: 'answered', number, status, ...at })
      },
    })
    lane = new Lane(id, app, options, { binding, router, tell })
    try {
      await lane.stage()
      await Promise.all(Array.from({ length: options.instances }, (_, index) => lane.startInstance(index)))
    } catch (error) {
      await lane.stop()
      throw error
    }
    if (lane.store !== undefined) tell({ kind: 'store', state: 'up' })
    return lane
  }

  /** Whether php-sessions keeps its sessions, and so promises something. */
  get isPromised(): boolean {
    return this.options.way === 'native' || this.options.way === 'managed'
  }

  get store(): PlayStore | undefined {
    return this.#binding.store
  }

  get url(): string {
    return this.#router.url
  }

  /** What `cf push` has shown. */
  get stagingLog(): string {
    return this.#stagingLog
  }

  /** The indexes of the instances that run. */
  instances(): readonly number[] {
    return [...this.#instances.keys()].sort()
  }

  /** `cf push` and `cf restage`: makes a droplet with what is bound now. */
  async stage(): Promise<void> {
    const staged = await labLifecycle.stage({
      app: this.#app,
      buildpacks: this.way.buildpacks(),
      ...this.#environment(),
    })
    this.#stagingLog = staged.log
    if (!staged.ok) throw new Error(`${this.title}: staging failed:\n${staged.log}`)
    this.#droplet = staged.droplet
  }

  async startInstance(index: number): Promise<void> {
    if (!this.#instances.has(index)) await this.#launch(index)
  }

  /** `cf restage --strategy rolling`: an instance goes when another one, from the new droplet, has come. */
  async roll(): Promise<void> {
    await this.stage()
    for (const [index, old] of [...this.#instances]) {
      await this.#launch(index)
      await this.#router.remove(old.id)
      await old.stop()
    }
  }

  async #launch(index: number): Promise<void> {
    this.#tell({ kind: 'instance', index, state: 'starting' })
    const instance = await labLifecycle.startInstance(this.#droplet, { index, ...this.#environment() })
    this.#instances.set(index, instance)
    this.#router.add(instance)
    this.#tell({ kind: 'instance', index, state: 'up' })
  }

  /** A crash: all processes are killed, and the disk is gone. The router finds that out by itself. */
  async kill(index: number): Promise<void> {
    const instance = this.#instances.get(index)
    if (instance === undefined) return
    this.#instances.delete(index)
    await instance.kill()
    this.#tell({ kind: 'instance', index, state: 'down' })
  }

  /** `cf restart`, one instance after the other: each gets what is bound now. */
  async restartInstances(): Promise<void> {
    for (const [index, instance] of [...this.#instances]) {
      void this.#router.remove(instance.id)
      this.#instances.delete(index)
      await instance.stop()
      this.#tell({ kind: 'instance', index, state: 'down' })
      await this.startInstance(index)
    }
  }

  stickTo(isOn: boolean): void {
    this.#router.stickTo(isOn ? STICKY : [])
    this.#tell({ kind: 'sticky', isOn })
  }

  /** Binds a new store, and lets the instances have it one after the other. */
  async moveToNewStore(): Promise<void> {
    await this.#binding.bindNew()
    const { isMoving } = this.way
    this.tellStore(isMoving ? 'up, with the old one beside it' : 'up')
    await this.roll()
  }

  /** Takes the old store away from the app. */
  async unbindPrevious(): Promise<void> {
    if (this.way.isMoving !== true) return
    this.#binding.unbindPrevious()
    await this.roll()
    this.tellStore('up')
  }

  /** `php-sessions copy`, from the old store to the new one; undefined where sessions do not move. */
  async copySessions(): Promise<string | undefined> {
    const { PHP_SESSIONS_PREVIOUS: from } = this.#binding.settings()
    return from === undefined ? undefined : this.ask(`copy --from ${from}`)
  }

  async removeOldStore(): Promise<void> {
    await this.#binding.removeOld()
  }

  /** A visitor by name, with cookies of its own. */
  shopper(name: string): Shopper {
    const known = this.shoppers.get(name)
    if (known !== undefined) return known
    const shopper = makeShopper(this.url, name, this.#tell)
    this.shoppers.set(name, shopper)
    return shopper
  }

  tellStore(state: StoreState): void {
    this.#tell({ kind: 'store', state })
  }

  /** What a command of php-sessions says in an instance; undefined where there is no php-sessions, or no instance. */
  async ask(command: string): Promise<string | undefined> {
    const [instance] = this.#instances.values()
    if (instance === undefined || this.options.way === 'files' || this.options.way === 'peers')
      return undefined
    return (await labLifecycle.openShell(instance, `php-sessions ${command}`)).stdout
  }

  noteRequest(number: number, isAnswered: boolean): void {
    this.#locks.note(number, isAnswered)
  }

  #environment() {
    const env = { ...this.way.env, ...this.options.settings, ...this.#binding.settings() }
    return { services: this.#binding.services(), env }
  }

  /** The logs of the instances that run. */
  log(): string {
    return [...this.#instances.values()].map((instance) => instance.log()).join('')
  }

  async stop(): Promise<void> {
    this.#locks.stop()
    await this.#router.stop()
    await Promise.all([...this.#instances.values()].map((instance) => instance.stop()))
    this.#instances.clear()
    await this.#binding.stop()
  }
}

/** The only cookie that Cloud Foundry's router sticks to, unless an operator adds others. */
const STICKY = ['JSESSIONID']
