import { type Address, formatAddress, readHost, readPort } from './address.ts'
import type { Sourced } from './binding.ts'
import type { Credentials } from './credentials.ts'
import type { Secret } from './secret.ts'

/** Where a bound server listens and how to log in, each with where it was read. */
export interface Endpoint {
  /** At least one. */
  readonly servers: readonly Sourced<Server>[]
  readonly tls: Sourced<boolean>
  /** Absent for servers that know only a password; an empty name would make the login fail. */
  readonly user: Sourced<string> | undefined
  readonly password: Sourced<Secret> | undefined
  readonly database: Sourced<number> | undefined
}

export interface Server extends Address {
  /** The share of the keys that a pool gives to it, as Memcached counts. */
  readonly weight?: number
}

/** Names the servers for people. */
export function formatServers({ servers }: Endpoint): string {
  return servers.map(({ value }) => formatAddress(value)).join(', ')
}

/** Checks a host from a binding; a wrong one is noted in the credentials' findings. */
export function checkHost(credentials: Credentials, host: Sourced<string>): string | undefined {
  const value = readHost(host.value)
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

/** A value may be a password that slipped into the wrong field: only what cannot be one is shown. */
function describe(value: string): string {
  return /^-?[0-9.]{1,12}$/.test(value) ? value : `a text of ${value.length} characters that is none`
}
