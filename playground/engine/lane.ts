import type { Instance } from '../../lab/cloudfoundry/lifecycle.ts'
import { labLifecycle } from '../../lab/cloudfoundry/lifecycle-lab.ts'
import { type Router, startRouter } from '../../lab/web/router.ts'
import { STORE_STARTS } from '../stores/start.ts'
import type { PlayStore, StoreKind, StoreState } from '../stores/store.ts'
import type { Journal, LaneEvent } from './events.ts'
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
  readonly store: PlayStore | undefined
  readonly shoppers = new Map<string, Shopper>()
  readonly #app: string
  readonly #tell: (event: LaneEvent) => void
  readonly #router: Router
  readonly #instances = new Map<number, Instance>()
  #droplet = ''
  #stagingLog = ''

  private constructor(
    id: string,
    app: string,
    options: LaneOptions,
    parts: { store: PlayStore | undefined; router: Router; tell: (event: LaneEvent) => void },
  ) {
    this.id = id
    this.options = options
    this.way = WAYS[options.way]
    this.store = parts.store
    this.title = parts.store === undefined ? this.way.title : `${this.way.title}, ${parts.store.title}`
    this.#app = app
    this.#router = parts.router
    this.#tell = parts.tell
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
    const { isBound } = WAYS[options.way]
    const store = isBound ? await STORE_STARTS[options.store](given) : undefined
    const router = await startRouter({
      stickyCookies: options.isSticky ? STICKY : [],
      onRequest: ({ number, path, instance, status }) => {
        const at = instance === undefined ? {} : { instance }
        if (status === undefined) tell({ kind: 'routed', number, path, ...at })
        else tell({ kind: 'answered', number, status, ...at })
      },
    })
    const lane = new Lane(id, app, options, { store, router, tell })
    try {
      await lane.stage()
      await Promise.all(Array.from({ length: options.instances }, (_, index) => lane.startInstance(index)))
    } catch (error) {
      await lane.stop()
      throw error
    }
    if (store !== undefined) tell({ kind: 'store', state: 'up' })
    return lane
  }

  /** Whether php-sessions keeps its sessions, and so promises something. */
  get isPromised(): boolean {
    return this.options.way === 'native' || this.options.way === 'managed'
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
      services: this.way.services(this.store),
      env: { ...this.way.env, ...this.options.settings },
    })
    this.#stagingLog = staged.log
    if (!staged.ok) throw new Error(`${this.title}: staging failed:\n${staged.log}`)
    this.#droplet = staged.droplet
  }

  async startInstance(index: number): Promise<void> {
    if (this.#instances.has(index)) return
    this.#tell({ kind: 'instance', index, state: 'starting' })
    const instance = await labLifecycle.startInstance(this.#droplet, {
      index,
      services: this.way.services(this.store),
      env: { ...this.way.env, ...this.options.settings },
    })
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
      this.#router.remove(instance.id)
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
  async ask(command: 'explain' | 'doctor'): Promise<string | undefined> {
    const [instance] = this.#instances.values()
    if (instance === undefined || this.options.way === 'files' || this.options.way === 'peers')
      return undefined
    return (await labLifecycle.openShell(instance, `php-sessions ${command}`)).stdout
  }

  /** The logs of the instances that run. */
  log(): string {
    return [...this.#instances.values()].map((instance) => instance.log()).join('')
  }

  async stop(): Promise<void> {
    await this.#router.stop()
    this.store?.thaw?.()
    await Promise.all([...this.#instances.values()].map((instance) => instance.stop()))
    this.#instances.clear()
    await this.store?.stop()
  }
}

/** The only cookie that Cloud Foundry's router sticks to, unless an operator adds others. */
const STICKY = ['JSESSIONID']
