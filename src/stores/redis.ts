import { formatAddress, readUri, type Uri } from '../core/address.ts'
import type { Sourced } from '../core/binding.ts'
import { type Credentials, readCredentials } from '../core/credentials.ts'
import { checkHost, checkPort, type Endpoint } from '../core/endpoint.ts'
import type { Directive } from '../core/ini.ts'
import type { Options } from '../core/options.ts'
import { longestRequestSeconds, type Php } from '../core/php.ts'
import { redisSavePath } from '../core/save-path.ts'
import { Secret } from '../core/secret.ts'
import { POOL_NAME, type Store } from './store.ts'

const DEFAULT_PORT = 6379
const CONNECT_SECONDS = 2
const READ_SECONDS = 3
const LOCK_POLL_MICROSECONDS = 5_000

/** Redis and Valkey, through the phpredis extension. */
export const redis: Store = {
  name: 'redis',
  title: 'Redis',
  searchKey: 'REDIS_SESSION_STORE_SERVICE_NAME',
  kinds: ['redis', 'valkey', 'keyvalue'],
  extensions: ['igbinary', 'msgpack', 'redis'],
  endpoint: (binding) => {
    const credentials = readCredentials(binding)
    return { value: readEndpoint(credentials), findings: credentials.findings }
  },
  directives: (endpoint, options, php) => [
    { name: 'session.save_handler', value: 'redis', because: 'a Redis service is bound' },
    savePath(endpoint, options),
    {
      name: 'redis.pconnect.pool_pattern',
      value: 'i',
      because: `pools connections by persistent_id too: otherwise the app's own connections, on another database, would be used for sessions`,
    },
    ...lockDirectives(options, php),
  ],
}

function readEndpoint(credentials: Credentials): Endpoint | undefined {
  const written = credentials.text('uri')
  const uri = written === undefined ? undefined : readUri(written.value)
  if (written !== undefined && uri === undefined)
    credentials.wrong(written, 'redis://user:password@host:port', 'a text that is no such URI')

  const part = (name: keyof Uri): Sourced<string> | undefined => {
    const value = uri?.[name]
    return value === undefined || written === undefined ? undefined : { value, from: written.from }
  }
  const host = credentials.text('host') ?? part('host')
  if (host === undefined) credentials.missing('host', ['host', 'uri'])

  const tlsPort = portOf(credentials, credentials.text('tlsPort'))
  const port = tlsPort ?? portOf(credentials, credentials.text('port')) ?? portOf(credentials, part('port'))
  const address =
    host === undefined ? undefined : { host: checkHost(credentials, host), port: port?.value ?? DEFAULT_PORT }
  const password = credentials.text('password')
  const secret = password ?? part('password')
  // The URI's user beside a password field is often a placeholder that would make the login fail.
  const user = credentials.text('user') ?? (password === undefined ? realUser(part('user')) : undefined)
  const database = databaseOf(part('path'))
  const tls = tlsOf(tlsPort, part('scheme'), credentials.text('tls'))

  if (host === undefined || address?.host === undefined || credentials.findings.length > 0) return undefined
  return {
    servers: [{ value: { host: address.host, port: address.port }, from: host.from }],
    tls: tls ?? { value: false, from: 'no field that asks for TLS' },
    user,
    password:
      secret === undefined || secret.value === ''
        ? undefined
        : { value: new Secret(secret.value), from: secret.from },
    database,
  }
}

function portOf(credentials: Credentials, port: Sourced<string> | undefined): Sourced<number> | undefined {
  const value = port === undefined ? undefined : checkPort(credentials, port)
  return port === undefined || value === undefined ? undefined : { value, from: port.from }
}

/** Names that brokers put where a URI must have a user and the server knows none. */
const PLACEHOLDERS = ['', 'h', 'x', 'rediscloud', 'redistogo', 'no-user-name-for-redis']

function realUser(user: Sourced<string> | undefined): Sourced<string> | undefined {
  return user === undefined || PLACEHOLDERS.includes(user.value) ? undefined : user
}

function databaseOf(path: Sourced<string> | undefined): Sourced<number> | undefined {
  return path !== undefined && /^[0-9]{1,5}$/.test(path.value)
    ? { value: Number(path.value), from: path.from }
    : undefined
}

/** A TLS port, the scheme or a flag, whichever is there first, says that the server speaks TLS. */
function tlsOf(
  port: Sourced<number> | undefined,
  scheme: Sourced<string> | undefined,
  flag: Sourced<string> | undefined,
): Sourced<boolean> | undefined {
  if (port !== undefined) return { value: true, from: port.from }
  if (scheme !== undefined && ['rediss', 'valkeys', 'tls'].includes(scheme.value))
    return { value: true, from: scheme.from }
  if (flag !== undefined && !['false', '0', 'no', 'off'].includes(flag.value.toLowerCase()))
    return { value: true, from: flag.from }
  return undefined
}

function savePath({ servers, tls, user, password, database }: Endpoint, options: Options): Directive {
  const server = servers[0]?.value
  if (server === undefined) throw new Error('an endpoint has a server')
  const parameters = {
    timeout: CONNECT_SECONDS,
    read_timeout: READ_SECONDS,
    persistent: 1,
    persistent_id: POOL_NAME,
    ...(database === undefined || database.value === 0 ? {} : { database: database.value }),
    ...(options.PHP_SESSIONS_PREFIX === undefined ? {} : { prefix: options.PHP_SESSIONS_PREFIX }),
  }
  const path = redisSavePath(
    { ...server, tls: tls.value, user: user?.value, password: password?.value },
    parameters,
  )
  return {
    name: 'session.save_path',
    value: new Secret(path),
    because: `the server ${formatAddress(server)}; time-outs in seconds, as phpredis would wait a day to connect and a minute to read; persistent connections, as a new one for each request costs a third of the speed, over TLS nine tenths`,
  }
}

function lockDirectives(options: Options, php: Php): readonly Directive[] {
  if (!options.PHP_SESSIONS_LOCKING)
    return [
      {
        name: 'redis.session.locking_enabled',
        value: false,
        because: 'PHP_SESSIONS_LOCKING is off: parallel requests overwrite each other',
      },
    ]
  const longest = longestRequestSeconds(php)
  const waitSeconds = longest / 2
  return [
    {
      name: 'redis.session.locking_enabled',
      value: true,
      because: 'without a lock, parallel requests of one visitor overwrite each other',
    },
    {
      name: 'redis.session.lock_expire',
      value: longest,
      because: `seconds, longer than a request may take (max_execution_time is ${php.maxExecutionSeconds}): the lock of a worker that died ends by itself; with 0 it might never, and late writers would overwrite`,
    },
    {
      name: 'redis.session.lock_wait_time',
      value: LOCK_POLL_MICROSECONDS,
      because: 'microseconds between two tries',
    },
    {
      name: 'redis.session.lock_retries',
      value: (waitSeconds * 1_000_000) / LOCK_POLL_MICROSECONDS,
      because: `so a request waits ${waitSeconds} seconds for its turn; the extension's own 10 or 100 tries lose updates`,
    },
  ]
}
