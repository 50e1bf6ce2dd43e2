import { readUri, type Uri } from '../../core/address.ts'
import type { Sourced } from '../../core/binding.ts'
import { type Credentials, isUnusable, type ListedServer } from '../../core/credentials/credentials.ts'
import type { Endpoint } from '../../core/endpoint.ts'
import type { Options } from '../../core/options.ts'
import { joinWords } from '../../core/text.ts'
import { readCa, readClientCertificate } from '../certificates.ts'
import { portOf, secretOf, uriPart } from '../read-servers.ts'
import { readPassword, readUser } from './login.ts'
import { readPhpSavePath, type SavePathReading } from './php-save-path.ts'
import type { RedisPlaces } from './places.ts'
import { readTopology } from './topology.ts'

/** Reads where a Redis is and how to log in; undefined if the findings have an error. */
export function readRedisEndpoint(credentials: Credentials, options: Options): Endpoint | undefined {
  const uri = readRedisUri(credentials, options)
  const password = readPassword(credentials, uri)
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
      tlsOfProvider(direct ?? credentials.servers('clusterNodes'), port, password) ?? {
        value: false,
        from: 'the default, because no field asks for it',
      },
  }
  noteConflicts(credentials, places, password)
  if (password === undefined && direct?.value.some(({ host }) => AZURE.test(host ?? '')) === true)
    credentials.noteMissing('password', ['password'])
  const topology = readTopology(credentials, places, options.PHP_SESSIONS_TOPOLOGY)
  const login = {
    user: readUser(credentials, uri),
    password: secretOf(password),
    database: readDatabase(credentials, uri),
    ca,
    clientCertificate: readClientCertificate(credentials),
  }
  credentials.noteUnread()
  if (topology === undefined || isUnusable(credentials)) return undefined
  return { ...topology, tls: places.tls, ...login }
}

const SCHEME = /^(rediss?|valkeys?|tcp|tls|ssl|unix)([+-].+)?$/

/** The field of the URI, or the field of the host if that has a URI: `REDIS_HOST=tls://h`. */
function readRedisUri(credentials: Credentials, options: Options): Sourced<Uri> | undefined {
  const host = credentials.text('host')
  const written =
    credentials.text('tlsUri') ??
    credentials.text('uri') ??
    (host?.value.includes('://') === true ? host : undefined)
  if (written === undefined) return undefined
  const savePath = readPhpSavePath(written.value, options)
  if (savePath !== undefined) return useSavePath(credentials, written, savePath)
  // Some people leave out the scheme: `REDIS_URL=h:6379`.
  const isBare = /^[^\s@/?#=]+$/.test(written.value) && !/^[a-z]+:\D/i.test(written.value)
  const value = readUri(isBare ? `redis://${written.value}` : written.value)
  if (value !== undefined && SCHEME.test(value.scheme)) return { value, from: written.from }
  credentials.noteWrong(written, 'redis://user:password@host:port', 'text that is not such a URI')
  return undefined
}

function useSavePath(
  credentials: Credentials,
  { from }: Sourced<string>,
  reading: SavePathReading,
): Sourced<Uri> | undefined {
  if ('refused' in reading) {
    const title = `php-sessions cannot take over this session.save_path of phpredis: it has ${reading.refused}`
    credentials.note({ id: 'binding.save-path', level: 'error', title, from, fix: reading.fix })
    return undefined
  }
  const { uri, unused } = reading
  if (unused.length > 0)
    credentials.note({
      id: 'binding.save-path',
      level: 'warn',
      title: `ignored in this session.save_path of phpredis: ${joinWords(unused, 'and')}; php-sessions sets its own time-outs and persistent connections`,
      from,
      fix: 'remove them there; php-sessions explain shows what PHP is told instead',
    })
  return { value: uri, from }
}

function readDirect(
  credentials: Credentials,
  uri: Sourced<Uri> | undefined,
): Sourced<readonly ListedServer[]> | undefined {
  const socket = credentials.text('socket') ?? uriPart(uri, redisSocketPath)
  if (socket !== undefined) return { value: [withoutTlsPort(socket.value)], from: socket.from }
  const hosts = credentials.servers('host')
  if (hosts !== undefined) return hosts
  // Redis Enterprise's operator lists several names of the same service.
  const names = credentials.servers('serviceNames')
  if (names !== undefined) return { value: names.value.slice(0, 1), from: names.from }
  const inUri = uri?.value.hosts.filter(({ host }) => host !== undefined) ?? []
  return uri === undefined || inUri.length === 0
    ? undefined
    : { value: inUri.map(({ host, port }) => withoutTlsPort(host, port)), from: uri.from }
}

function withoutTlsPort(host: string | undefined, port?: string): ListedServer {
  return { host, port, tlsPort: undefined, weight: undefined }
}

/** The path in `unix:///run/redis.sock`, in `redis+unix:///…`, or in Symfony's `redis:///run/redis.sock`. */
function redisSocketPath({ scheme, hosts, path = '' }: Uri): string | undefined {
  if (hosts.some(({ host }) => host !== undefined)) return undefined
  const [, inPath] = /^(.*\.sock)(\/[0-9]+)?$/.exec(path) ?? []
  if (inPath !== undefined) return `/${inPath}`
  return /unix|socket/.test(scheme) ? `/${path}` : undefined
}

const TLS_SCHEME = /^(rediss|valkeys|tls|ssl)([+-]|$)/

function isTlsScheme(scheme: Sourced<string> | undefined): boolean {
  return scheme !== undefined && TLS_SCHEME.test(scheme.value.toLowerCase())
}

/** A TLS port, a scheme or a flag, in this order, says that the server speaks TLS. */
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

/** Hosts of providers that accept only TLS, or passwords only over TLS, whatever their URIs say. */
const TLS_ONLY: readonly RegExp[] = [
  /^(?!fly-).*\.upstash\.io$/,
  /\.redis\.azure\.net$/,
  /\.redis\.[a-z0-9-]+\.oci\.oraclecloud\.com$/,
  /\.serverless\.[a-z0-9]+\.cache\.amazonaws\.com$/,
  /\.memorydb\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$/,
]
const AZURE = /\.redis\.(cache\.windows|azure)\.net$/

/** TLS of providers whose credentials need not mention it. Amazon's servers have passwords only with TLS. */
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

function readDatabase(credentials: Credentials, uri: Sourced<Uri> | undefined): Sourced<number> | undefined {
  const inPath = uriPart(uri, ({ path }) => path?.split('/').find((word) => /^[0-9]+$/.test(word)))
  const inQuery = uriPart(uri, ({ query }) => query.db ?? query.database ?? query.dbindex)
  const field = credentials.text('database')
  // Other things are named database too; Redis' databases are numbers.
  const [used, ...others] = [field, inPath, inQuery].flatMap((written) =>
    written !== undefined && /^[0-9]{1,5}$/.test(written.value)
      ? [{ value: Number(written.value), from: written.from }]
      : [],
  )
  const other = others.find(({ value }) => value !== used?.value)
  if (used !== undefined && other !== undefined)
    credentials.note(conflict('the database', used, other, `${used.value} is used, not ${other.value}`))
  return used
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
    credentials.note(conflict('the password', password, uri, 'the value of the field is used'))
}

function conflict(what: string, used: Sourced<unknown>, other: Sourced<unknown>, so: string) {
  return {
    id: 'binding.conflict',
    level: 'warn' as const,
    title: `two fields disagree on ${what}: ${so}`,
    from: `${used.from} and ${other.from}`,
    fix: 'remove the field that is wrong where the credentials are created',
  }
}
