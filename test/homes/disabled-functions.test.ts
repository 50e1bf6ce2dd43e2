import { expect, test } from 'vitest'
import { redisService, SESSION_KEY, type Service } from '../../lab/bindings.ts'
import { previousPart } from '../../src/plan/previous.ts'
import { stores } from '../../src/stores/index.ts'
import { memcached } from '../../src/stores/memcached/memcached.ts'
import { redis } from '../../src/stores/redis/redis.ts'
import { HANDLER_TEXT } from '../support/handler-text.ts'
import { line, pool, start } from '../support/homes/managed-start.ts'

const SERVICES: Readonly<Record<string, Service>> = {
  redis: redisService,
  memcached: { name: 'memcached-sessions', credentials: { host: 'mc.example' } },
}

const WORDS = 'array if match for foreach while switch catch isset unset list'.split(' ')
/** Without them the handler does not know whether a pool is full, and says less of itself in its locks. */
const DISPENSABLE = ['fpm_get_status', 'getenv', 'gethostname']

const OLD: Service = { name: 'old', tags: ['redis'], credentials: { host: 'old.example' } }
const OLD_MEMCACHED: Service = { name: 'old', tags: ['memcached'], credentials: { host: 'old.example' } }

interface Use {
  readonly env?: Readonly<Record<string, string>>
  readonly services?: readonly Service[]
  readonly previous?: Parameters<(typeof stores)[number]['managed']['text']>[0]
  /** The functions that it never calls, whatever is in its text. */
  readonly unused: RegExp
}

/** What a handler may be used for, and which functions of its text it does not need for that. */
const USES: Readonly<Record<string, Use>> = {
  'sessions as they are': { unused: /^(sodium_|gz|zstd_|lz4_)/ },
  'sessions that are encrypted': {
    env: { PHP_SESSIONS_ENCRYPTION_KEY: SESSION_KEY },
    unused: /^(gz|zstd_|lz4_)/,
  },
  'sessions that are compressed': {
    env: { PHP_SESSIONS_COMPRESSION: 'gzip' },
    unused: /^(sodium_|zstd_|lz4_)/,
  },
  'sessions that move from files': {
    env: { PHP_SESSIONS_PREVIOUS: 'files' },
    previous: previousPart({ store: undefined, savePath: undefined }),
    unused: /^(sodium_|gz|zstd_|lz4_)/,
  },
  'sessions that move from a Redis': {
    env: { PHP_SESSIONS_PREVIOUS: 'old' },
    services: [OLD],
    previous: redis.managed.previousPart,
    unused: /^(sodium_|gz|zstd_|lz4_)/,
  },
  'sessions that move from a Memcached': {
    env: { PHP_SESSIONS_PREVIOUS: 'old' },
    services: [OLD_MEMCACHED],
    previous: memcached.managed.previousPart,
    unused: /^(sodium_|gz|zstd_|lz4_)/,
  },
}

const [FIRST_USE] = Object.keys(USES)
const OPTIONAL = /^(sodium_|gz|zstd_|lz4_)/

const EACH = stores.flatMap((store) =>
  Object.entries(USES).map(([name, use]) => [store.title, name, store, use] as const),
)

test.each(EACH)(
  'with %s and %s, every function that the handler calls counts where it is disabled, and no other',
  (_store, use, store, { env = {}, services = [], previous, unused }) => {
    const isLater = use !== FIRST_USE
    const base = HANDLER_TEXT[store.name]
    const text = store.managed.text(previous)
    const called = [...text.matchAll(/(?<![\w$>:]|function )([a-z_0-9]+)\(/g)].map(([, name = '']) => name)
    expect(called).toContain('session_set_save_handler')
    const bound = [...services, SERVICES[store.name] ?? redisService]
    const isBlocked = (setting: string, name: string) =>
      start({ lines: [line(setting, name)] }, {}, bound, env).err.includes('(handler.blocked)')
    // What it always calls need not be tried for each use.
    const isUsual = (name: string) => isLater && base.includes(`${name}(`) && !OPTIONAL.test(name)
    for (const name of new Set(called.filter((name) => !isUsual(name)))) {
      if (WORDS.includes(name)) continue
      const isNeeded = !DISPENSABLE.includes(name) && !unused.test(name)
      expect({ name, isBlocked: isBlocked('disable_functions', name) }).toEqual({ name, isBlocked: isNeeded })
    }
    // Another handler calls it.
    const isOfFiles = previous?.open === 'openFiles'
    expect(isBlocked('disable_functions', 'flock')).toBe(isOfFiles)
    const classes = ['sessionhandlerinterface', 'SessionIdInterface', 'Closure', 'Redis', 'SplFileObject']
    expect(classes.map((name) => isBlocked('disable_classes', name))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ])
  },
)

test.each(stores)('only the session handlers of $title are replaced where a pool sets one', (store) => {
  const blocks = (value: string) => {
    const pools = [pool('php_value', 'session.save_handler', value)]
    return start({ pools }, {}, [SERVICES[store.name] ?? redisService]).err.includes('(handler.blocked)')
  }
  const handlers = ['redis', 'rediscluster', 'memcached', 'files']
  expect(handlers.filter((value) => !blocks(value))).toEqual(store.managed.saveHandlers)
})
