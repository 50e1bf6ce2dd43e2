import { formatAddress, readHost, readPort } from '../core/address.ts'
import type { Sourced } from '../core/binding.ts'
import { type Credentials, readCredentials } from '../core/credentials.ts'
import { checkHost, checkPort, type Endpoint, type Server } from '../core/endpoint.ts'
import type { Directive } from '../core/ini.ts'
import type { Options } from '../core/options.ts'
import { longestRequestSeconds, type Php } from '../core/php.ts'
import { Secret } from '../core/secret.ts'
import { POOL_NAME, type Store } from './store.ts'

const DEFAULT_PORT = 11211
const CONNECT_MILLISECONDS = 1_000
// Each try costs five seconds when the server is frozen, and no setting shortens that: few tries, then, which
// wait longer each time. docs/benchmarks.md has the figures.
const LOCK_WAIT_MILLISECONDS = { first: 50, longest: 500 }
const LOCK_RETRIES = 15

/** Memcached, through the php-memcached extension. */
export const memcached: Store = {
  name: 'memcached',
  title: 'Memcached',
  searchKey: 'MEMCACHED_SESSION_STORE_SERVICE_NAME',
  kinds: ['memcache', 'memcachier'],
  extensions: ['igbinary', 'msgpack', 'memcached'],
  endpoint: (binding) => {
    const credentials = readCredentials(binding)
    return { value: readEndpoint(credentials), findings: credentials.findings }
  },
  directives: (endpoint, options, php) => [
    { name: 'session.save_handler', value: 'memcached', because: 'a Memcached service is bound' },
    savePath(endpoint, php),
    ...connectionDirectives(endpoint, php),
    ...saslDirectives(endpoint),
    ...lockDirectives(options, php),
    ...prefixDirectives(options),
  ],
}

function readEndpoint(credentials: Credentials): Endpoint | undefined {
  const servers = readServers(credentials)
  const user = credentials.text('user')
  const password = credentials.text('password')
  if (user !== undefined && password === undefined) credentials.missing('password for the user', ['password'])
  if (user === undefined && password !== undefined) credentials.missing('user for the password', ['user'])
  if (credentials.findings.length > 0) return undefined
  return {
    servers,
    tls: { value: false, from: 'php-memcached has no TLS' },
    user,
    password: password === undefined ? undefined : { value: new Secret(password.value), from: password.from },
    database: undefined,
  }
}

function readServers(credentials: Credentials): Sourced<Server>[] {
  const list = credentials.list('servers')
  if (list === undefined) return readSingleServer(credentials)
  return list.value.flatMap((text) => {
    const server = readServer(text)
    if (server === undefined)
      credentials.wrong(
        { value: text, from: list.from },
        'servers as host:port, separated by commas',
        'something else',
      )
    return server === undefined ? [] : [{ value: server, from: list.from }]
  })
}

function readSingleServer(credentials: Credentials): Sourced<Server>[] {
  const host = credentials.text('host')
  if (host === undefined) {
    credentials.missing('servers', ['servers', 'host'])
    return []
  }
  const port = credentials.text('port')
  const value = {
    host: checkHost(credentials, host) ?? '',
    port: (port === undefined ? undefined : checkPort(credentials, port)) ?? DEFAULT_PORT,
  }
  return [{ value, from: host.from }]
}

/** Reads `host`, `host:port` or `host:port:weight`, an IPv6 host in brackets. */
function readServer(text: string): Server | undefined {
  const [, host = '', port, weight] = /^(\[[^\]]*\]|[^:]*)(?::([0-9]+))?(?::([0-9]{1,9}))?$/.exec(text) ?? []
  const checkedHost = readHost(host)
  const checkedPort = port === undefined ? DEFAULT_PORT : readPort(port)
  if (checkedHost === undefined || checkedPort === undefined) return undefined
  const address = { host: checkedHost, port: checkedPort }
  return weight === undefined ? address : { ...address, weight: Number(weight) }
}

/** php-memcached 2, the last for PHP 5, wants the pool's name in the path; 3 refuses such a path. */
function savePath({ servers }: Endpoint, php: Php): Directive {
  const list = servers
    .map(({ value }) => formatAddress(value) + (value.weight === undefined ? '' : `:${value.weight}`))
    .join(',')
  return {
    name: 'session.save_path',
    value: php.major < 7 ? `PERSISTENT=${POOL_NAME} ${list}` : list,
    because: servers.length === 1 ? `the server ${list}` : `the ${servers.length} servers of the pool`,
  }
}

/** Both names of each setting where php-memcached 2 and 3 differ: one ignores what only the other obeys. */
function connectionDirectives(endpoint: Endpoint, php: Php): readonly Directive[] {
  const sasl = isSasl(endpoint)
  return [
    {
      name: 'memcached.sess_binary',
      value: true,
      because: 'the binary protocol, as php-memcached 2 calls it',
    },
    { name: 'memcached.sess_binary_protocol', value: true, because: 'the same for php-memcached 3' },
    ...(php.major < 7
      ? []
      : [
          {
            name: 'memcached.sess_persistent',
            value: !sasl,
            because: sasl
              ? 'with a login a persistent connection logs in again at every request and gains nothing'
              : 'a worker keeps its connection, which is half as fast again as a new one for each request',
          },
        ]),
    {
      name: 'memcached.sess_connect_timeout',
      value: CONNECT_MILLISECONDS,
      because: 'milliseconds; a server that does not answer costs this long, and no longer',
    },
  ]
}

function isSasl({ user, password }: Endpoint): boolean {
  return user !== undefined && password !== undefined
}

/** Only where the binding has them: a server without SASL refuses a login. */
function saslDirectives({ user, password }: Endpoint): readonly Directive[] {
  if (user === undefined || password === undefined) return []
  return [
    {
      name: 'memcached.use_sasl',
      value: true,
      because: 'the binding has a user and a password; php-memcached 3 needs no switch',
    },
    { name: 'memcached.sess_sasl_username', value: user.value, because: `from ${user.from}` },
    { name: 'memcached.sess_sasl_password', value: password.value, because: `from ${password.from}` },
  ]
}

function lockDirectives(options: Options, php: Php): readonly Directive[] {
  if (!options.PHP_SESSIONS_LOCKING)
    return [
      {
        name: 'memcached.sess_locking',
        value: false,
        because: 'PHP_SESSIONS_LOCKING is off: parallel requests overwrite each other',
      },
    ]
  return [
    {
      name: 'memcached.sess_locking',
      value: true,
      because: 'without a lock, parallel requests of one visitor overwrite each other',
    },
    {
      name: 'memcached.sess_lock_expire',
      value: longestRequestSeconds(php),
      because: `seconds, longer than a request may take (max_execution_time is ${php.maxExecutionSeconds}): the lock of a worker that died ends by itself`,
    },
    {
      name: 'memcached.sess_lock_wait_min',
      value: LOCK_WAIT_MILLISECONDS.first,
      because: 'milliseconds before the second try; each further wait is twice as long',
    },
    {
      name: 'memcached.sess_lock_wait_max',
      value: LOCK_WAIT_MILLISECONDS.longest,
      because: 'up to this',
    },
    {
      name: 'memcached.sess_lock_retries',
      value: LOCK_RETRIES,
      because: `so a request waits ${lockWaitMilliseconds() / 1000} seconds for its turn; the extension's own 5 tries lose updates, and each try costs 5 seconds when the server is frozen`,
    },
  ]
}

function lockWaitMilliseconds(): number {
  const { first, longest } = LOCK_WAIT_MILLISECONDS
  return Array.from({ length: LOCK_RETRIES }, (_, i) => Math.min(first * 2 ** i, longest)).reduce(
    (a, b) => a + b,
  )
}

function prefixDirectives({ PHP_SESSIONS_PREFIX }: Options): readonly Directive[] {
  if (PHP_SESSIONS_PREFIX === undefined) return []
  return [{ name: 'memcached.sess_prefix', value: PHP_SESSIONS_PREFIX, because: 'PHP_SESSIONS_PREFIX' }]
}
