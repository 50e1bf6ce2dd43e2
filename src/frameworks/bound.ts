import { type Address, formatAddress } from '../core/address.ts'
import type { Sourced } from '../core/binding.ts'
import type { Endpoint, StoreName } from '../core/endpoint.ts'
import type { Secret } from '../core/secret.ts'

/** A bound service, as a plan has it. */
export interface BoundStore {
  readonly store: { readonly name: StoreName; readonly title: string }
  readonly service: string
  readonly endpoint: Endpoint
  /** The value of `PHP_SESSIONS_PREFIX`. */
  readonly prefix?: string | undefined
  /** Where PHP connects; empty if the Sentinels have not been asked for the master. */
  readonly servers: readonly Sourced<Address>[]
}

/** What a bound service may require of an app that connects by itself. `address`: a Unix socket or IPv6. */
export type Need =
  | 'TLS'
  | 'user'
  | 'password'
  | 'symbols'
  | 'database'
  | 'SASL'
  | 'pool'
  | 'cluster'
  | 'sentinel'
  | 'certificate'
  | 'address'

/** The needs in words; each continues "it does not support …". */
export const NEEDS: Readonly<Record<Need, string>> = {
  TLS: 'TLS',
  user: 'a user name',
  password: 'a password that is not in a file',
  symbols: 'a password with a blank or an ampersand',
  database: 'a database number',
  SASL: 'a login',
  pool: 'several servers',
  cluster: 'a Redis Cluster',
  sentinel: 'Sentinels',
  certificate: 'the certificates of the binding',
  address: 'a Unix socket or an IPv6 address',
}

/** What only PHP's own handler supports in every case. */
export const NEVER: readonly Need[] = ['cluster', 'sentinel', 'certificate', 'address']

/** A bound service, as an app's own settings would describe it. */
export interface BoundServer {
  readonly store: StoreName
  readonly host: string
  /** The host for phpredis: with `tls://` if the service has TLS. */
  readonly tlsHost: string
  readonly port: number | 'PORT'
  readonly user: string | undefined
  readonly password: Secret | undefined
  readonly database: number
  readonly prefix: string | undefined
  /** `host:port,host:port` */
  readonly servers: string
  readonly needs: readonly Need[]
}

/** Stands for the master for which php-sessions asks the Sentinels at startup. */
const UNKNOWN_MASTER = { host: 'MASTER', port: 'PORT' } as const

/** Whether a login uses SASL. */
const HAS_SASL: Readonly<Record<StoreName, boolean>> = { redis: false, memcached: true }

/** Describes a bound service as an app's own settings would. */
export function readBoundServer({ store, endpoint, servers, prefix }: BoundStore): BoundServer {
  const { host, port } = servers[0]?.value ?? UNKNOWN_MASTER
  const user = endpoint.user?.value
  const database = endpoint.database?.value ?? 0
  const isSasl = HAS_SASL[store.name]
  const has: Readonly<Record<Need, boolean>> = {
    TLS: endpoint.tls.value,
    user: !isSasl && user !== undefined,
    password: !isSasl && endpoint.password !== undefined,
    symbols: /[\s&]/.test(endpoint.password?.value.reveal() ?? ''),
    database: database !== 0,
    SASL: isSasl && endpoint.password !== undefined,
    pool: endpoint.topology.value === 'pool',
    cluster: endpoint.topology.value === 'cluster',
    sentinel: endpoint.topology.value === 'sentinel',
    certificate: endpoint.ca !== undefined || endpoint.clientCertificate !== undefined,
    address: host.startsWith('/') || host.includes(':'),
  }
  return {
    store: store.name,
    host,
    tlsHost: endpoint.tls.value ? `tls://${host}` : host,
    port,
    user,
    password: endpoint.password?.value,
    database,
    prefix,
    servers: endpoint.servers.map(({ value }) => formatAddress(value)).join(','),
    needs: (Object.keys(has) as Need[]).filter((need) => has[need]),
  }
}

/** A line of PHP that reads the password from the path that php-sessions writes at every start. */
export const READ_SAVE_PATH =
  "parse_str((string) parse_url(ini_get('session.save_path'), PHP_URL_QUERY), $bound);"
