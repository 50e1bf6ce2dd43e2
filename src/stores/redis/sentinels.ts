import { readUri, type Uri } from '../../core/address.ts'
import type { Sourced } from '../../core/binding.ts'
import type { Credentials, ListedServer } from '../../core/credentials/credentials.ts'
import type { Endpoint, Sentinel, Topology } from '../../core/endpoint.ts'
import { checkListed, portOf, secretOf, uriPart } from '../read-servers.ts'
import { dropDefaultUser } from './login.ts'
import type { RedisPlaces, Shape } from './places.ts'

const DEFAULT_SENTINEL_PORT = 26379

type Listed = Sourced<readonly ListedServer[]>

/** What the credentials say about Sentinels, needed or not. */
export interface ListedSentinels extends Sentinel {
  readonly servers: Endpoint['servers']
}

export function readSentinels(credentials: Credentials, places: RedisPlaces): ListedSentinels | undefined {
  const listed = listSentinels(credentials, places)
  const masterName = listed === undefined ? undefined : readMasterName(credentials, places)
  if (listed === undefined || masterName === undefined) return undefined
  const ownTlsPort = portOf(credentials, credentials.text('sentinelTlsPort'))
  const port = ownTlsPort ?? portOf(credentials, credentials.text('sentinelPort'))
  const servers = listed.value.flatMap((sentinel) =>
    checkListed(
      credentials,
      { ...sentinel, port: sentinel.tlsPort ?? sentinel.port },
      listed.from,
      port?.value ?? DEFAULT_SENTINEL_PORT,
    ),
  )
  const hasTlsPorts = listed.value.some(({ tlsPort }) => tlsPort !== undefined)
  return {
    servers,
    masterName,
    tls: sentinelTls(places, ownTlsPort, hasTlsPorts ? listed : undefined),
    user: dropDefaultUser(
      credentials.text('sentinelUser') ?? uriPart(places.uri, ({ query }) => query.sentinel_username),
    ),
    password: secretOf(
      credentials.text('sentinelPassword') ??
        uriPart(places.uri, ({ query }) => query.sentinel_password) ??
        sharedPassword(credentials, listed),
    ),
  }
}

/** Sentinels without a TLS port of their own speak TLS only if Redis does so without a TLS port. */
function sentinelTls(
  { tls, tlsPort }: RedisPlaces,
  ...ports: readonly (Sourced<unknown> | undefined)[]
): Sourced<boolean> {
  const port = ports.find((sign) => sign !== undefined)
  if (port !== undefined) return { value: true, from: port.from }
  return tlsPort === undefined
    ? tls
    : { value: false, from: `${tlsPort.from} is not a port of the Sentinels` }
}

/** SAP's Sentinels have the same password as its Redis, those of its brokers and those of its operators. */
function sharedPassword(credentials: Credentials, { from }: Listed): Sourced<string> | undefined {
  const isOfSap = from.endsWith('sentinel_nodes') || credentials.has('sentinelEnabled')
  return isOfSap ? credentials.text('password') : undefined
}

/** Without the name of their master nobody can ask the Sentinels. */
export function noteUnusedSentinels(credentials: Credentials, places: RedisPlaces): void {
  const listed = listSentinels(credentials, places)
  if (listed === undefined || credentials.flag('sentinelEnabled')?.value === false) return
  credentials.note({
    id: 'binding.sentinel',
    level: 'warn',
    title: 'the binding has Sentinels, but no name of their master: they are not asked',
    from: listed.from,
    fix: 'add master_name to the credentials if the host does not follow the master by itself',
  })
}

function listSentinels(credentials: Credentials, { uri, direct }: RedisPlaces): Listed | undefined {
  const listed =
    credentials.servers('sentinels') ??
    credentials.servers('sentinelNodes') ??
    credentials.servers('sentinelAddresses')
  if (listed !== undefined) return listed
  if (isSentinelUri({ uri })) return direct
  // If they have a port but no list, they run beside Redis.
  const hasPort = credentials.has('sentinelPort') || credentials.has('sentinelTlsPort')
  const hosts = credentials.servers('hosts') ?? direct
  return hasPort && hosts !== undefined
    ? {
        value: hosts.value.map((host) => ({ ...host, port: undefined, tlsPort: undefined })),
        from: hosts.from,
      }
    : undefined
}

function isSentinelUri({ uri }: Pick<RedisPlaces, 'uri'>): boolean {
  return /sentinel/.test(uri?.value.scheme ?? '') || masterInQuery(uri?.value.query) !== undefined
}

/** The name of the master as Lettuce and Symfony write it. */
function masterInQuery(query: Uri['query'] = {}): string | undefined {
  return query.sentinelMasterId ?? query.redis_sentinel ?? query.sentinel_master
}

function readMasterName(credentials: Credentials, { uri }: RedisPlaces): Sourced<string> | undefined {
  const inUri = isSentinelUri({ uri })
    ? uriPart(
        uri,
        ({ query, path }) => masterInQuery(query) ?? path?.split('/').find((word) => !/^[0-9]*$/.test(word)),
      )
    : undefined
  const master = credentials.text('master')
  return (
    credentials.text('masterName') ??
    credentials.text('haMasterName') ??
    inUri ??
    uriPart(uri, ({ fragment }) => fragment) ??
    // Swisscom writes the name like a host: `redis://NAME`.
    (master === undefined
      ? undefined
      : { value: readUri(master.value)?.hosts[0]?.host ?? master.value, from: master.from }) ??
    // In Redis Enterprise the master has the name of the database.
    (credentials.has('sentinelAddresses') ? credentials.text('name') : undefined) ??
    (credentials.has('sentinelNodes') || isSentinelUri({ uri })
      ? { value: 'mymaster', from: "Redis' default, because the binding gives no name" }
      : undefined)
  )
}

/** A host beside Sentinels follows the master by itself, except at brokers that list nodes. */
export function signOfSentinel(
  credentials: Credentials,
  { uri, direct }: RedisPlaces,
  sentinels: ListedSentinels | undefined,
): Sourced<Topology> | undefined {
  const flag = credentials.flag('sentinelEnabled')
  if (flag?.value === true) return { value: 'sentinel', from: flag.from }
  if (sentinels === undefined || flag?.value === false) return undefined
  const isNeeded =
    direct?.value.length !== 1 ||
    isSentinelUri({ uri }) ||
    credentials.has('haMasterName') ||
    credentials.has('sentinelNodes')
  return isNeeded ? { value: 'sentinel', from: sentinels.masterName.from } : undefined
}

export function askSentinels(
  credentials: Credentials,
  sentinels: ListedSentinels | undefined,
  topology: Sourced<Topology>,
): Shape | undefined {
  if (sentinels === undefined) {
    credentials.noteMissing('Sentinels with the name of their master', ['sentinels', 'masterName'])
    return undefined
  }
  const { servers, ...sentinel } = sentinels
  return { topology, servers, sentinel }
}
