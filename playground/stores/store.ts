import type { Service } from '../../lab/bindings.ts'

/** The stores that the playground can start, and `given`: what VCAP_SERVICES of its own environment binds. */
export type StoreKind = 'redis' | 'valkey' | 'memcached' | 'cluster' | 'sentinel' | 'given'

export type StoreState = 'up' | 'frozen' | 'restarting' | 'failing over' | 'up, with a new password'

/** A store of one lane. Faults that its kind does not have are absent. */
export interface PlayStore {
  readonly kind: StoreKind
  readonly title: string
  /** What the platform binds now: VCAP_SERVICES. `simple` has only a host, a port and a password, as php_buildpack reads them. */
  services(form?: 'simple'): string
  /** The servers' process is stopped by SIGSTOP: it accepts connections and never answers. */
  readonly freeze?: () => void
  readonly thaw?: () => void
  /** Ends it, and starts it again after a moment with the data that it has kept. */
  readonly restart?: () => Promise<void>
  /** Kills the master, and waits until a replica has taken over. */
  readonly failOver?: () => Promise<void>
  /** Gives it another password, as a broker does; connections end. */
  readonly rotate?: () => Promise<void>
  /** The keys that it holds; for those who do not believe the page. */
  readonly keys?: () => readonly string[]
  stop(): Promise<void>
}

/** VCAP_SERVICES with one service, whose name both php-sessions and php_buildpack look for. */
export function bind(store: 'redis' | 'memcached', credentials: Service['credentials']): string {
  return JSON.stringify({
    [store]: [{ name: `app-${store}-sessions`, label: store, tags: [store], credentials }],
  })
}
