import { readUri, type Uri } from '../../core/address.ts'
import type { Sourced } from '../../core/binding.ts'
import { type Credentials, isUnusable, type ListedServer } from '../../core/credentials/credentials.ts'
import { type Endpoint, portOf, secretOf, uriPart } from '../../core/endpoint.ts'
import type { Options } from '../../core/options.ts'
import { readCa, readClientCertificate } from '../certificates.ts'
import { type RedisPlaces, readTopology } from './topology.ts'

/** Reads where a Redis is and how to log in; undefined where the findings have an error. */
export function readRedisEndpoint(credentials: Credentials, options: Options): Endpoint | undefined {
  const uri = readUriField(credentials)
  const ownPassword = credentials.text('password')
  const password = ownPassword ?? uriPart(uri, uriPassword)
  const ca = readCa(credentials)
  const tlsPort = portOf(credentials, credentials.text('tlsPort'))
  const port = portOf(credentials, credentials.text('port'))
  const direct = readDirect(credentials, uri)
  const places: RedisPlaces = {
    uri,
    direct,
    tlsPort,
    port,
    tls: readTls(credentials, uri, direct, tlsPort) ??
      tlsOfCa(ca) ??
      tlsOfProvider(direct, port, password) ?? {
        value: false,
        from: 'the default, as no field asks for it',
      },
  }
  noteConflicts(credentials, places, password)
  if (password === undefined && direct?.value.some(({ host }) => AZURE.test(host ?? '')) === true)
    credentials.missing('password', ['password'])
  const topology = readTopology(credentials, places, options.PHP_SESSIONS_TOPOLOGY)
  const login = {
    // The URI's user beside a password field is often a placeholder that would make the login fail.
    user: credentials.text('user') ?? (ownPassword === undefined ? uriUser(uri) : undefined),
    password: secretOf(password),
    database: readDatabase(credentials, uri),
    ca,
    clientCertificate: readClientCertificate(credentials),
  }
  if (topology === undefined || isUnusable(credentials)) return undefined
  return { ...topology, tls: places.tls, ...login }
}

const SCHEME = /^(rediss?|valkeys?|tcp|tls|ssl|unix)([+-].+)?$/

/** The field of the URI, or that of the host where the URI was put there: `REDIS_HOST=tls://h`. */
function readUriField(credentials: Credentials): Sourced<Uri> | undefined {
  const host = credentials.text('host')
  const written =
    credentials.text('tlsUri') ??
    credentials.text('uri') ??
    (host?.value.includes('://') === true ? host : undefined)
  if (written === undefined) return undefined
  // Some leave the scheme out: `REDIS_URL=h:6379`.
  const isBare = /^[^\s@/?#=]+$/.test(written.value) && !/^[a-z]+:\D/i.test(written.value)
  const value = readUri(isBare ? `redis://${written.value}` : written.value)
  if (value !== undefined && SCHEME.test(value.scheme)) return { value, from: written.from }
  credentials.wrong(written, 'redis://user:password@host:port', 'a text that is no such URI')
  return undefined
}

function readDirect(
  credentials: Credentials,
  uri: Sourced<Uri> | undefined,
): Sourced<readonly ListedServer[]> | undefined {
  const socket = credentials.text('socket') ?? uriPart(uri, readSocketPath)
  if (socket !== undefined) return { value: [listed(socket.value)], from: socket.from }
  const hosts = credentials.servers('host')
  if (hosts !== undefined) return hosts
  // Redis Enterprise's operator lists names of one and the same service.
  const names = credentials.servers('serviceNames')
  if (names !== undefined) return { value: names.value.slice(0, 1), from: names.from }
  const inUri = uri?.value.hosts.filter(({ host }) => host !== undefined) ?? []
  return uri === undefined || inUri.length === 0
    ? undefined
    : { value: inUri.map(({ host, port }) => listed(host, port)), from: uri.from }
}

function listed(host: string | undefined, port?: string): ListedServer {
  return { host, port, tlsPort: undefined, weight: undefined }
}

/** `unix:///run/redis.sock`, `redis+unix:///…`, and `redis:///run/redis.sock` as Symfony writes it. */
function readSocketPath({ scheme, hosts, path = '' }: Uri): string | undefined {
  if (hosts.some(({ host }) => host !== undefined)) return undefined
  const [, inPath] = /^(.*\.sock)(\/[0-9]+)?$/.exec(path) ?? []
  if (inPath !== undefined) return `/${inPath}`
  return /unix|socket/.test(scheme) ? `/${path}` : undefined
}

const TLS_SCHEME = /^(rediss|valkeys|tls|ssl)([+-]|$)/

function isTlsScheme(scheme: Sourced<string> | undefined): boolean {
  return scheme !== undefined && TLS_SCHEME.test(scheme.value.toLowerCase())
}

/** A TLS port, a scheme or a flag, whichever is there first, says that the server speaks TLS. */
function readTls(
  credentials: Credentials,
  uri: Sourced<Uri> | undefined,
  direct: Sourced<readonly ListedServer[]> | undefined,
  port: Sourced<number> | undefined,
): Sourced<boolean> | undefined {
  const flag = credentials.flag('tls')
  const schemes = [uriPart(uri, ({ scheme }) => scheme), credentials.text('scheme')]
  const on = [port, schemes.find(isTlsScheme), flag?.value === true ? flag : undefined].find(
    (sign) => sign !== undefined,
  )
  if (direct?.value.some(({ host }) => host?.startsWith('/') === true) === true)
    return { value: false, from: `${direct.from}, a Unix socket` }
  if (on === undefined) return undefined
  if (flag?.value === false && port === undefined)
    credentials.note(conflict('TLS', flag, on, 'the connection uses TLS'))
  return { value: true, from: on.from }
}

function tlsOfCa(ca: Sourced<string> | undefined): Sourced<boolean> | undefined {
  return ca === undefined ? undefined : { value: true, from: ca.from }
}

/** Hosts of providers that take TLS only, or passwords over TLS only, whatever their URIs say. */
const TLS_ONLY: readonly RegExp[] = [
  /^(?!fly-).*\.upstash\.io$/,
  /\.redis\.azure\.net$/,
  /\.redis\.[a-z0-9-]+\.oci\.oraclecloud\.com$/,
  /\.serverless\.[a-z0-9]+\.cache\.amazonaws\.com$/,
]
const AZURE = /\.redis\.(cache\.windows|azure)\.net$/

/** Providers who need not say that they speak TLS. Amazon's have passwords only with encryption in transit. */
function tlsOfProvider(
  direct: Sourced<readonly ListedServer[]> | undefined,
  port: Sourced<number> | undefined,
  password: Sourced<string> | undefined,
): Sourced<boolean> | undefined {
  const [server] = direct?.value ?? []
  const host = server?.host ?? ''
  const isTls =
    TLS_ONLY.some((pattern) => pattern.test(host)) ||
    (password !== undefined && /\.cache\.amazonaws\.com(\.cn)?$/.test(host)) ||
    (AZURE.test(host) && String(port?.value ?? server?.port) === '6380')
  return isTls && direct !== undefined
    ? { value: true, from: `${direct.from} (${host} speaks TLS)` }
    : undefined
}

/** A password in the query comes with a user in front of the `@`, as redis-py writes it. */
function uriPassword({ password, user, query }: Uri): string | undefined {
  const inQuery = query.password ?? query.auth
  return user === undefined ? (inQuery ?? password) : password || inQuery
}

/** Names that brokers put where a URI must have a user and the server knows none. */
const PLACEHOLDERS = ['', 'h', 'x', 'rediscloud', 'redistogo', 'no-user-name-for-redis']

function uriUser(uri: Sourced<Uri> | undefined): Sourced<string> | undefined {
  const user = uriPart(
    uri,
    ({ user: name, password, query }) =>
      name ?? query.username ?? (query.password === undefined ? undefined : password),
  )
  // Compose's servers are older than users, whatever its URIs say.
  const isCompose =
    uri?.value.hosts.some(({ host = '' }) => /\.(dblayer|composedb)\.com$/.test(host)) === true
  return user === undefined || PLACEHOLDERS.includes(user.value) || isCompose ? undefined : user
}

function readDatabase(credentials: Credentials, uri: Sourced<Uri> | undefined): Sourced<number> | undefined {
  const inPath = uriPart(uri, ({ path }) => path?.split('/').find((word) => /^[0-9]+$/.test(word)))
  const inQuery = uriPart(uri, ({ query }) => query.db ?? query.database ?? query.dbindex)
  const written = credentials.text('database') ?? inPath ?? inQuery
  // Other things are called database, too; only a number is one of Redis'.
  return written === undefined || !/^[0-9]{1,5}$/.test(written.value)
    ? undefined
    : { value: Number(written.value), from: written.from }
}

function noteConflicts(
  credentials: Credentials,
  { uri, direct, tlsPort, port }: RedisPlaces,
  password: Sourced<string> | undefined,
): void {
  const inUri = uri?.value.hosts.length === 1 ? uri.value.hosts[0] : undefined
  if (uri === undefined || inUri === undefined || direct?.from === uri.from) return
  const host = direct?.value[0]?.host
  const differs = (a: string | undefined, b: string | undefined) =>
    a !== undefined && b !== undefined && a !== b
  if (direct !== undefined && differs(host, inUri.host))
    credentials.note(conflict('the host', direct, uri, `${host} is used, not ${inUri.host}`))
  if (tlsPort === undefined && port !== undefined && differs(String(port.value), inUri.port))
    credentials.note(conflict('the port', port, uri, `${port.value} is used, not ${inUri.port}`))
  if (password !== undefined && differs(password.value, uri.value.password))
    credentials.note(conflict('the password', password, uri, 'the one of the field is used'))
}

function conflict(what: string, used: Sourced<unknown>, other: Sourced<unknown>, so: string) {
  return {
    id: 'binding.conflict',
    level: 'warn' as const,
    title: `two fields disagree on ${what}: ${so}`,
    from: `${used.from} and ${other.from}`,
    fix: 'remove the field that is wrong where the credentials are made',
  }
}
