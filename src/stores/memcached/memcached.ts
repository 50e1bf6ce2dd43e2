import { formatAddress } from '../../core/address.ts'
import { readCredentials } from '../../core/credentials/credentials.ts'
import { KIND_WORDS } from '../../core/credentials/field-names.ts'
import type { Endpoint } from '../../core/endpoint.ts'
import type { Directive } from '../../core/ini.ts'
import type { Options } from '../../core/options.ts'
import { longestRequestSeconds, type Php } from '../../core/php.ts'
import { POOL_NAME, type Store } from '../store.ts'
import { readMemcachedEndpoint } from './endpoint.ts'

const CONNECT_MILLISECONDS = 1_000
// Each try costs five seconds when the server is frozen, and no setting shortens that: few tries, then, which
// wait longer each time. docs/benchmarks.md has the figures.
const LOCK_WAIT_MILLISECONDS = { first: 20, longest: 500 }
const LOCK_RETRIES = 16

/** Memcached, through the php-memcached extension. */
export const memcached: Store = {
  name: 'memcached',
  title: 'Memcached',
  searchKey: 'MEMCACHED_SESSION_STORE_SERVICE_NAME',
  sessionType: 'php-memcached-session',
  kinds: KIND_WORDS.memcached,
  ports: [11211],
  extensions: ['igbinary', 'msgpack', 'memcached'],
  endpoint: (binding) => {
    const credentials = readCredentials(binding)
    return { value: readMemcachedEndpoint(credentials), findings: credentials.findings }
  },
  configure: (endpoint, { options, php }) => ({
    handler: 'native',
    directives: [
      { name: 'session.save_handler', value: 'memcached', because: 'a Memcached service is bound' },
      savePath(endpoint, php),
      ...connectionDirectives(endpoint, php),
      ...poolDirectives(endpoint, php),
      ...saslDirectives(endpoint),
      ...lockDirectives(options, php),
      ...prefixDirectives(options),
    ],
    files: [],
    findings: [],
  }),
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
            ...persistence(endpoint),
          },
        ]),
    {
      name: 'memcached.sess_connect_timeout',
      value: CONNECT_MILLISECONDS,
      because: 'milliseconds; a server that does not answer costs this long, and no longer',
    },
  ]
}

function persistence(endpoint: Endpoint): Pick<Directive, 'value' | 'because'> {
  if (isSasl(endpoint))
    return {
      value: false,
      because: 'with a login a persistent connection logs in again at every request and gains nothing',
    }
  if (isPool(endpoint))
    return {
      value: false,
      because:
        'a worker that keeps its connections never again uses a server that it has left out once, though it be back',
    }
  return {
    value: true,
    because: 'a worker keeps its connection, which is half as fast again as a new one for each request',
  }
}

function isPool({ topology }: Endpoint): boolean {
  return topology.value === 'pool'
}

/**
 * What lets a pool go on without one of its servers: its sessions start over once, and nobody is locked out.
 *
 * No replicas: strict mode asks the first server of an id only, and without it they bring back what was there before
 * the server went, ended sessions included. On a single server, or with persistent connections, the same settings
 * would make a worker never use the server again. docs/benchmarks.md has the figures.
 */
function poolDirectives(endpoint: Endpoint, php: Php): readonly Directive[] {
  if (!isPool(endpoint) || php.major < 7) return []
  return [
    {
      name: 'memcached.sess_remove_failed_servers',
      value: true,
      because: 'a server that cannot be reached is left out for the rest of the request',
    },
    {
      name: 'memcached.sess_server_failure_limit',
      value: 1,
      because:
        'after the first failure: without these two, half of the visitors of a pool of two are refused',
    },
    {
      name: 'memcached.sess_consistent_hash',
      value: true,
      because: 'a server that comes or goes takes only its own share of the sessions with it',
    },
    ...(hasWeights(endpoint)
      ? [
          {
            name: 'memcached.sess_consistent_hash_type',
            value: 'ketama_weighted',
            because: 'without it the weights of the servers count for nothing',
          },
        ]
      : []),
  ]
}

/** Equal weights are none, and must not change where sessions are. */
function hasWeights({ servers }: Endpoint): boolean {
  return new Set(servers.map(({ value: { weight = 1 } }) => weight)).size > 1
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
