import type { Address } from '../core/address.ts'
import type { Sourced } from '../core/binding.ts'
import { type Endpoint, formatServers } from '../core/endpoint.ts'
import type { Secret } from '../core/secret.ts'

/** A bound service as a plan has it. */
export interface BoundStore {
  readonly store: { readonly name: 'redis' | 'memcached'; readonly title: string }
  readonly service: string
  readonly endpoint: Endpoint
  /** What `PHP_SESSIONS_PREFIX` says. */
  readonly prefix?: string | undefined
  /** Where PHP connects; empty where the Sentinels have not been asked for the master. */
  readonly servers: readonly Sourced<Address>[]
}

/** What a bound service may ask of an app that connects by itself. `address`: one that is no name and no IPv4. */
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

/** The same in the words of a sentence: "it has no way to use …". */
export const NEEDS: Readonly<Record<Need, string>> = {
  TLS: 'TLS',
  user: 'a user name',
  password: 'a password that is in no file',
  symbols: 'a password with a blank or an ampersand',
  database: 'a database number',
  SASL: 'a login',
  pool: 'several servers',
  cluster: 'a cluster or Sentinel',
  sentinel: 'a cluster or Sentinel',
  certificate: 'certificates of the binding',
  address: 'a socket or IPv6',
}

/** What only PHP's own handler can do everywhere. */
export const NEVER: readonly Need[] = ['cluster', 'sentinel', 'certificate', 'address']

/** A bound service as an app's own settings would name it. */
export interface BoundServer {
  readonly store: 'redis' | 'memcached'
  readonly host: string
  /** With `tls://` where the service has TLS, as phpredis takes a host. */
  readonly tlsHost: string
  readonly port: number | 'PORT'
  /** `default` is what Redis calls a login without a user, and is none. */
  readonly user: string | undefined
  readonly password: Secret | undefined
  readonly database: number
  readonly prefix: string | undefined
  /** `host:port,host:port` */
  readonly servers: string
  readonly needs: readonly Need[]
}

/** What stands for the master that a start will ask the Sentinels for. */
const UNKNOWN_MASTER = { host: 'MASTER', port: 'PORT' } as const

export function readBoundServer({ store, endpoint, servers, prefix }: BoundStore): BoundServer {
  const { host, port } = servers[0]?.value ?? UNKNOWN_MASTER
  const user = endpoint.user?.value === 'default' ? undefined : endpoint.user?.value
  const database = endpoint.database?.value ?? 0
  const isRedis = store.name === 'redis'
  const has: Readonly<Record<Need, boolean>> = {
    TLS: endpoint.tls.value,
    user: isRedis && user !== undefined,
    password: isRedis && endpoint.password !== undefined,
    symbols: /[\s&]/.test(endpoint.password?.value.reveal() ?? ''),
    database: database !== 0,
    SASL: !isRedis && endpoint.password !== undefined,
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
    servers: formatServers(endpoint).replaceAll(' ', ''),
    needs: (Object.keys(has) as Need[]).filter((need) => has[need]),
  }
}

/** The line before those that need the password: it is in the path that php-sessions writes at every start. */
export const READ_SAVE_PATH =
  "parse_str((string) parse_url(ini_get('session.save_path'), PHP_URL_QUERY), $bound);"
