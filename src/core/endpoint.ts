import { type Address, formatAddress } from './address.ts'
import type { Sourced } from './binding.ts'
import type { Encryption } from './encryption.ts'
import type { Secret } from './secret.ts'
import { joinFirst } from './text.ts'

/** The stores, named like their PHP extensions. Tables by this name let the compiler find what a new store needs. */
export type StoreName = 'redis' | 'memcached'

/** How the servers work together. In a `pool` of Memcached servers the client decides which server has which key. */
export type Topology = 'single' | 'cluster' | 'sentinel' | 'pool'

/** Where a bound server listens and how to log in, each value with where it was read. */
export interface Endpoint {
  /** `from` is the reason; it continues the sentence "… because". */
  readonly topology: Sourced<Topology>
  /** At least one: the server, the seeds of a cluster, the servers of a pool; with Sentinel, the Sentinels. */
  readonly servers: readonly Sourced<Server>[]
  readonly tls: Sourced<boolean>
  /** Undefined for servers that know only a password: an empty name would make the login fail. */
  readonly user: Sourced<string> | undefined
  readonly password: Sourced<Secret> | undefined
  readonly database: Sourced<number> | undefined
  /** PEM certificates of the CA that signed the server's certificate, unless the system trusts it. */
  readonly ca: Sourced<string> | undefined
  /** PEM of the certificate, with its key, by which the server recognises the app. */
  readonly clientCertificate: Sourced<Secret> | undefined
  /** How to ask the Sentinels for the master; defined only if `topology` is `sentinel`. */
  readonly sentinel: Sentinel | undefined
  /** How its sessions are encrypted; absent where they are not. */
  readonly encryption?: Encryption
}

/** The user that Redis takes for a login without one. */
export const DEFAULT_USER = 'default'

export interface Sentinel {
  /** What the Sentinels call the master. */
  readonly masterName: Sourced<string>
  readonly tls: Sourced<boolean>
  readonly user: Sourced<string> | undefined
  readonly password: Sourced<Secret> | undefined
}

export interface Server extends Address {
  /** The server's share of a pool's keys, in the units of the pool. */
  readonly weight?: number
}

/** Names the servers for people, the first of many. */
export function formatServers({ servers }: { readonly servers: readonly Sourced<Address>[] }): string {
  return joinFirst(
    servers.map(({ value }) => formatAddress(value)),
    ', ',
  )
}
