import { type Address, formatAddress, readHost, readPort, readSocket, type Uri } from './address.ts'
import type { Sourced } from './binding.ts'
import type { Credentials, ListedServer } from './credentials/credentials.ts'
import { Secret } from './secret.ts'

/** How the servers belong together; a `pool` is Memcached's, where the client gives each key its server. */
export type Topology = 'single' | 'cluster' | 'sentinel' | 'pool'

/** Where a bound server listens and how to log in, each with where it was read. */
export interface Endpoint {
  /** `from` says why: the sentence "… because" goes on with it. */
  readonly topology: Sourced<Topology>
  /** At least one: the server, the seeds of a cluster, the servers of a pool; with Sentinel, the sentinels. */
  readonly servers: readonly Sourced<Server>[]
  readonly tls: Sourced<boolean>
  /** Absent for servers that know only a password; an empty name would make the login fail. */
  readonly user: Sourced<string> | undefined
  readonly password: Sourced<Secret> | undefined
  readonly database: Sourced<number> | undefined
  /** PEM certificates of a CA that signed the server's, where the system's own do not. */
  readonly ca: Sourced<string> | undefined
  /** PEM of a certificate, and its key, with which the app shows who it is. */
  readonly clientCertificate: Sourced<Secret> | undefined
  /** Whom to ask for the master; there only where `topology` is `sentinel`. */
  readonly sentinel: Sentinel | undefined
}

export interface Sentinel {
  /** What the sentinels call the master. */
  readonly masterName: Sourced<string>
  readonly tls: Sourced<boolean>
  readonly user: Sourced<string> | undefined
  readonly password: Sourced<Secret> | undefined
}

export interface Server extends Address {
  /** The share of the keys that a pool gives to it, as Memcached counts. */
  readonly weight?: number
}

/** Names the servers for people. */
export function formatServers({ servers }: { readonly servers: readonly Sourced<Address>[] }): string {
  return servers.map(({ value }) => formatAddress(value)).join(', ')
}

/** A value of the URI that is neither missing nor empty, with the URI's provenance. */
export function uriPart(
  uri: Sourced<Uri> | undefined,
  read: (parts: Uri) => string | undefined,
): Sourced<string> | undefined {
  const value = uri === undefined ? undefined : read(uri.value)
  return uri === undefined || value === undefined || value === '' ? undefined : { value, from: uri.from }
}

/** Makes a password a secret; an empty one is none. */
export function secretOf(text: Sourced<string> | undefined): Sourced<Secret> | undefined {
  if (text === undefined || text.value === '') return undefined
  return { value: new Secret(text.value), from: text.from }
}

/** Checks a host, or the path of a Unix socket, from a binding; a wrong one is noted in the findings. */
export function checkHost(credentials: Credentials, host: Sourced<string>): string | undefined {
  const value = readSocket(host.value) ?? readHost(host.value)
  if (value === undefined) credentials.wrong(host, 'a host name or an IP address', describe(host.value))
  return value
}

/** Checks a port from a binding; 0 is how brokers write that there is none. */
export function checkPort(credentials: Credentials, port: Sourced<string>): number | undefined {
  if (port.value === '0') return undefined
  const value = readPort(port.value)
  if (value === undefined) credentials.wrong(port, 'a port between 1 and 65535', describe(port.value))
  return value
}

/** The same for a port that may be missing. */
export function portOf(
  credentials: Credentials,
  port: Sourced<string> | undefined,
): Sourced<number> | undefined {
  const value = port === undefined ? undefined : checkPort(credentials, port)
  return port === undefined || value === undefined ? undefined : { value, from: port.from }
}

/** Checks one server of a list; without a port of its own it has the given one. */
export function checkListed(
  credentials: Credentials,
  { host = '', port, weight }: ListedServer,
  from: string,
  defaultPort: number,
): readonly Sourced<Server>[] {
  const checkedHost = checkHost(credentials, { value: host, from })
  const checkedPort =
    port === undefined ? defaultPort : (checkPort(credentials, { value: port, from }) ?? defaultPort)
  if (checkedHost === undefined) return []
  const address = { host: checkedHost, port: checkedHost.startsWith('/') ? 0 : checkedPort }
  return [{ value: weight === undefined ? address : { ...address, weight: Number(weight) }, from }]
}

/** A value may be a password that slipped into the wrong field: only what cannot be one is shown. */
function describe(value: string): string {
  return /^-?[0-9.]{1,12}$/.test(value) ? value : `a text of ${value.length} characters that is none`
}
