import type { Endpoint } from '../../core/endpoint.ts'
import type { PhpValue } from '../../core/formats/php-text.ts'
import type { Options } from '../../core/options.ts'
import { longestRequestSeconds, longestWaitSeconds } from '../../core/php.ts'
import { joinHandler } from '../handler/join.ts'
import {
  addManaged,
  describeSealing,
  rulesForHandler,
  WHY_ENCRYPTING,
  withoutFallback,
} from '../handler/managed.ts'
import type { Configuration, ManagedHandler, StoreClient, Surroundings } from '../store.ts'
import { memcachedClientFiles, memcachedPart } from './handler/index.ts'

/** How long a request waits for Memcached, in seconds: with either handler, and with the managed one. */
export const MEMCACHED_CONNECT_SECONDS = 1
const READ_SECONDS = 2

/** What the names of the keys begin with: php-memcached's own prefix, unless the user has chosen one. */
export function memcachedKeyPrefix({ PHP_SESSIONS_PREFIX }: Options): string {
  return PHP_SESSIONS_PREFIX ?? 'memc.sess.key.'
}

/** The managed handler for one server. On a pool the lock of a session and the session may be on different servers. */
export const managedMemcached: ManagedHandler = {
  text: (previous) => joinHandler(memcachedPart, previous),
  previousPart: { files: memcachedPart.files, open: 'openMemcachedSessions' },
  saveHandlers: ['memcached'],
  whyNot: ({ topology, servers }) =>
    topology.value === 'single'
      ? undefined
      : `the managed handler keeps sessions on one Memcached server, and this is a pool of ${servers.length}`,
  why: (_, { PHP_SESSIONS_HANDLER: wanted, PHP_SESSIONS_PREVIOUS: previous }) =>
    wanted === 'managed'
      ? 'PHP_SESSIONS_HANDLER is managed'
      : previous === undefined
        ? WHY_ENCRYPTING
        : 'PHP_SESSIONS_PREVIOUS is set',
  describe: (endpoint, options) => [
    ...(options.PHP_SESSIONS_LOCKING
      ? [
          'requests of one visitor take turns in the order of their arrival; the native handler refuses some when many come at once, and others overtake',
          'a request that has lost its lock, or comes after a restart of the server, does not overwrite the session',
        ]
      : []),
    'a session that is too large for the server is refused, and the earlier one stays; the native handler deletes it',
    'while the store cannot be used, a request ends with status 503 within 3 seconds and one line in the log, unless PHP_SESSIONS_ON_STORE_ERROR=empty; the native handler continues with an empty session, after 105 seconds where the server is frozen',
    ...describeSealing(endpoint, options),
  ],
  previous: (endpoint, surroundings) => ({ settings: storeForHandler(endpoint, surroundings), files: [] }),
}

/** Only if it is asked for, or needed: `auto` keeps what is documented for Memcached. */
export function wantsManagedMemcached(
  endpoint: Endpoint,
  { PHP_SESSIONS_HANDLER: wanted, PHP_SESSIONS_PREVIOUS: previous }: Options,
): boolean {
  const isNeeded = previous !== undefined || endpoint.encryption !== undefined
  const isWanted = wanted === 'managed' || (wanted === 'auto' && isNeeded)
  return isWanted && managedMemcached.whyNot(endpoint) === undefined
}

export function manageMemcached(
  endpoint: Endpoint,
  surroundings: Surroundings,
  native: Configuration,
): Configuration {
  const { options } = surroundings
  const parts = {
    part: memcachedPart,
    why: managedMemcached.why(endpoint, options),
    settings: storeForHandler(endpoint, surroundings),
  }
  return addManaged(withoutFallback(native, endpoint), parts, surroundings)
}

export const memcachedClient: StoreClient = { files: memcachedClientFiles, settings: storeForHandler }

/** What the handler needs to know, under the names that its PHP reads. */
function storeForHandler(endpoint: Endpoint, { options, php }: Surroundings): PhpValue {
  const { servers, user, password } = endpoint
  const [server] = servers
  return {
    server: { host: server?.value.host ?? '', port: server?.value.port ?? 0 },
    user: password === undefined ? null : (user?.value ?? null),
    password: password?.value ?? null,
    prefix: memcachedKeyPrefix(options),
    ...rulesForHandler(endpoint, options, {
      lockSeconds: longestRequestSeconds(php),
      waitSeconds: longestWaitSeconds(php, options),
      connectSeconds: MEMCACHED_CONNECT_SECONDS,
      readSeconds: READ_SECONDS,
    }),
  }
}
