import { STORE_STARTS } from '../stores/start.ts'
import { bindAll, type PlayStore, type StoreKind, type StoreOptions, serviceName } from '../stores/store.ts'
import type { Way } from './ways.ts'

/** What is bound to the app of a lane: a store, and the one that its sessions come from while they move. */
export class Binding {
  readonly #way: Way
  #store: PlayStore | undefined
  #previous: PlayStore | undefined
  /** Bound no more; it runs until it is removed. */
  #old: PlayStore | undefined

  private constructor(way: Way, store: PlayStore | undefined) {
    this.#way = way
    this.#store = store
  }

  static async start(way: Way, kind: StoreKind, options: StoreOptions): Promise<Binding> {
    return new Binding(way, way.isBound ? await STORE_STARTS[kind](options) : undefined)
  }

  get store(): PlayStore | undefined {
    return this.#store
  }

  /** VCAP_SERVICES. */
  services(): string {
    const stores = [this.#previous, this.#store].filter((store) => store !== undefined)
    return bindAll(stores.map((store) => store.services(this.#way.credentials)))
  }

  /** The setting with which sessions move. */
  settings(): Readonly<Record<string, string>> {
    return this.#previous === undefined
      ? {}
      : { PHP_SESSIONS_PREVIOUS: serviceName(this.#previous.services()) }
  }

  /** Binds a new store: beside the old one where sessions can move, otherwise in its place. */
  async bindNew(): Promise<void> {
    if (this.#store === undefined || this.#old !== undefined || this.#previous !== undefined) return
    const store = await STORE_STARTS[this.#store.kind]({ name: 'new' })
    if (this.#way.isMoving) this.#previous = this.#store
    else this.#old = this.#store
    this.#store = store
  }

  unbindPrevious(): void {
    this.#old ??= this.#previous
    this.#previous = undefined
  }

  async removeOld(): Promise<void> {
    await this.#old?.stop()
    this.#old = undefined
  }

  async stop(): Promise<void> {
    const stores = [this.#store, this.#previous, this.#old].filter((store) => store !== undefined)
    for (const store of stores) store.thaw?.()
    await Promise.all(stores.map((store) => store.stop()))
  }
}
