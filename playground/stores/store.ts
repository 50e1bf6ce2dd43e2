import type { Service } from '../../lab/bindings.ts'

/** The stores that the playground can start, and `given`: what VCAP_SERVICES of its own environment binds. */
export type StoreKind = 'redis' | 'valkey' | 'memcached' | 'cluster' | 'sentinel' | 'given'

export type StoreState =
  | 'up'
  | 'frozen'
  | 'restarting'
  | 'failing over'
  | 'up, with a new password'
  | 'up, with the old one beside it'

export interface StoreOptions {
  /** VCAP_SERVICES of the playground's own environment. */
  readonly given?: string | undefined
  /** The first word of the service's name. */
  readonly name?: string
}

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
export function bind(
  store: 'redis' | 'memcached',
  credentials: Service['credentials'],
  name = 'app',
): string {
  return JSON.stringify({
    [store]: [{ name: `${name}-${store}-sessions`, label: store, tags: [store], credentials }],
  })
}

type Bound = Readonly<Record<string, readonly { readonly name: string }[]>>

/** VCAP_SERVICES with all of these services. One alone stays as it is, whatever it is. */
export function bindAll(all: readonly string[]): string {
  const [first = '{}', ...others] = all
  if (others.length === 0) return first
  const services = all.flatMap((one) => Object.entries(JSON.parse(one) as Bound))
  const labels = [...new Set(services.map(([label]) => label))]
  const of = (wanted: string) => services.filter(([label]) => label === wanted).flatMap(([, list]) => list)
  return JSON.stringify(Object.fromEntries(labels.map((label) => [label, of(label)])))
}

/** The name of the service in VCAP_SERVICES. */
export function serviceName(services: string): string {
  return Object.values(JSON.parse(services) as Bound)[0]?.[0]?.name ?? ''
}
