import { formatAddress } from '../../core/address.ts'
import { readCredentials } from '../../core/credentials/credentials.ts'
import type { Endpoint } from '../../core/endpoint.ts'
import type { Directive } from '../../core/formats/ini.ts'
import type { Options } from '../../core/options.ts'
import { longestRequestSeconds, type Php } from '../../core/php.ts'
import { type Configuration, POOL_NAME, type Store, type Surroundings } from '../store.ts'
import { readMemcachedEndpoint } from './endpoint.ts'
import {
  MEMCACHED_CONNECT_SECONDS,
  managedMemcached,
  manageMemcached,
  memcachedClient,
  memcachedKeyPrefix,
  wantsManagedMemcached,
} from './managed.ts'

// When the server is frozen each try takes five seconds, and no setting shortens that. So there are few tries, and
// the wait between them grows. docs/internals/figures.md has the figures.
const LOCK_WAIT_MILLISECONDS = { first: 20, longest: 500 }
const LOCK_RETRIES = 16

/** Memcached, through the php-memcached extension. */
export const memcached: Store = {
  name: 'memcached',
  title: 'Memcached',
  searchKey: 'MEMCACHED_SESSION_STORE_SERVICE_NAME',
  sessionType: 'php-memcached-session',
  kinds: ['memcache', 'memcachier'],
  ports: [11211],
  extensions: ['igbinary', 'msgpack', 'memcached'],
  endpoint: (binding) => {
    const credentials = readCredentials(binding)
    return { value: readMemcachedEndpoint(credentials), findings: credentials.findings }
  },
  keyPrefix: (_, options) => memcachedKeyPrefix(options),
  managed: managedMemcached,
  client: memcachedClient,
  wantsManaged: wantsManagedMemcached,
  configure: (endpoint, surroundings) => {
    const { options, php } = surroundings
    const isManaged =
      wantsManagedMemcached(endpoint, options) && php.runsManaged && php.obstacles.length === 0
    // Below the managed handler without the login, which phpinfo() would show.
    const native = configureNative(endpoint, isManaged ? [] : saslDirectives(endpoint), surroundings)
    return isManaged ? manageMemcached(endpoint, surroundings, native) : native
  },
}

function configureNative(
  endpoint: Endpoint,
  sasl: readonly Directive[],
  { options, php }: Surroundings,
): Configuration {
  return {
    handler: 'native',
    directives: [
      { name: 'session.save_handler', value: 'memcached', because: 'a Memcached service is bound' },
      savePath(endpoint, php),
      ...connectionDirectives(endpoint, php),
      ...poolDirectives(endpoint, php),
      ...sasl,
      ...memcachedLockDirectives(options, php),
      ...prefixDirectives(options),
    ],
    files: [],
    findings: [],
  }
}

/** php-memcached 2, the last version for PHP 5, needs the pool's name in the path; version 3 refuses such a path. */
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

/** If php-memcached 2 and 3 name a setting differently, both names: each version ignores the other's name. */
function connectionDirectives(endpoint: Endpoint, php: Php): readonly Directive[] {
  return [
    {
      name: 'memcached.sess_binary',
      value: true,
      because: 'the binary protocol, for php-memcached 2',
    },
    {
      name: 'memcached.sess_binary_protocol',
      value: true,
      because: 'the binary protocol, for php-memcached 3',
    },
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
      value: MEMCACHED_CONNECT_SECONDS * 1000,
      because: 'milliseconds; a server that does not answer delays a request by this much and no more',
    },
  ]
}

function persistence(endpoint: Endpoint): Pick<Directive, 'value' | 'because'> {
  if (isSasl(endpoint))
    return {
      value: false,
      because: 'php-memcached logs in again at every request, so a persistent connection gains nothing',
    }
  if (isPool(endpoint))
    return {
      value: false,
      because:
        'with persistent connections a worker never returns to a server it has dropped, even once that server is back',
    }
  return {
    value: true,
    because: 'a worker keeps its connection, about 1.5 times as fast as connecting for each request',
  }
}

function isPool({ topology }: Endpoint): boolean {
  return topology.value === 'pool'
}

/**
 * The settings with which a pool works without one of its servers: the sessions there start over once, and no visitor
 * is locked out.
 *
 * There are no replicas. Strict mode asks only the first server of a session id; without strict mode, replicas bring
 * back old values, even of ended sessions. On a single server, or with persistent connections, the same settings
 * would make a worker never use the server again. docs/internals/figures.md has the figures.
 */
function poolDirectives(endpoint: Endpoint, php: Php): readonly Directive[] {
  if (!isPool(endpoint) || php.major < 7) return []
  // Measured: 1.0.18 drops no server after one failure, and 1.1.4 none with a limit of two or three.
  const isOld = php.libmemcached?.startsWith('1.0.') === true
  return [
    {
      name: 'memcached.sess_remove_failed_servers',
      value: true,
      because: 'a request drops a server that it cannot reach',
    },
    {
      name: 'memcached.sess_server_failure_limit',
      value: isOld ? 2 : 1,
      because: `drops the server after ${isOld ? `two failures: libmemcached ${php.libmemcached} drops none after one` : 'one failure'}; without these two settings, half of the visitors of a pool of two are refused`,
    },
    {
      name: 'memcached.sess_consistent_hash',
      value: true,
      because: 'when a server leaves or joins the pool, only its own share of the sessions is lost',
    },
    ...(hasWeights(endpoint)
      ? [
          {
            name: 'memcached.sess_consistent_hash_type',
            value: 'ketama_weighted',
            because: 'without it the weights of the servers are ignored',
          },
        ]
      : []),
  ]
}

/** Equal weights are like no weights: they must not change which server has which session. */
function hasWeights({ servers }: Endpoint): boolean {
  return new Set(servers.map(({ value: { weight = 1 } }) => weight)).size > 1
}

function isSasl({ user, password }: Endpoint): boolean {
  return user !== undefined && password !== undefined
}

/** Only if the binding has a login: a server without SASL refuses any. */
function saslDirectives({ user, password }: Endpoint): readonly Directive[] {
  if (user === undefined || password === undefined) return []
  return [
    {
      name: 'memcached.use_sasl',
      value: true,
      because: 'the binding has a user and a password; only php-memcached 2 needs this switch',
    },
    { name: 'memcached.sess_sasl_username', value: user.value, because: `from ${user.from}` },
    { name: 'memcached.sess_sasl_password', value: password.value, because: `from ${password.from}` },
  ]
}

function memcachedLockDirectives(options: Options, php: Php): readonly Directive[] {
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
      because: `seconds, longer than a request may take (max_execution_time is ${php.maxExecutionSeconds}): the lock of a dead worker expires`,
    },
    {
      name: 'memcached.sess_lock_wait_min',
      value: LOCK_WAIT_MILLISECONDS.first,
      because: 'milliseconds before the second try; every later wait is twice as long as the one before',
    },
    {
      name: 'memcached.sess_lock_wait_max',
      value: LOCK_WAIT_MILLISECONDS.longest,
      because: 'milliseconds; no wait is longer',
    },
    {
      name: 'memcached.sess_lock_retries',
      value: LOCK_RETRIES,
      because: `a request waits up to ${lockWaitMilliseconds() / 1000} seconds for its turn; the extension's default of 5 tries loses updates, and each try takes 5 seconds when the server is frozen`,
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
