import { describe, expect, onTestFinished, test } from 'vitest'
import { abstractHandler, NO_ABSTRACT } from '../../bench/parts/abstract.ts'
import { startRedis } from '../../lab/redis/server.ts'
import { startMemcached } from '../../lab/servers/memcached.ts'
import { renderIni } from '../../src/core/formats/ini.ts'
import { PHPS } from '../support/php/php.ts'
import { planFor } from '../support/plan.ts'

/** A way to keep sessions that somebody leaves for php-sessions, as docs/migrating.md has it. */
interface Before {
  /** What PHP was told, with the store's address. */
  readonly lines: (at: { readonly redis: string; readonly memcached: string }) => readonly string[]
  readonly store: 'redis' | 'memcached'
  /** The settings of php-sessions that make the change unnoticed. */
  readonly settings?: Record<string, string>
  /** What the app's own ini file has to keep. */
  readonly own?: string
}

const PASSWORD = 'p w+1'

const BEFORE: Readonly<Record<string, Before>> = {
  'php_buildpack 4, Redis': {
    store: 'redis',
    lines: ({ redis }) => [
      'session.name = PHPSESSIONID',
      'session.save_handler = redis',
      `session.save_path = "tcp://${redis}?auth=${encodeURIComponent(PASSWORD)}"`,
    ],
  },
  'php_buildpack 4, Memcached': {
    store: 'memcached',
    lines: ({ memcached }) => [
      'session.name = PHPSESSIONID',
      'session.save_handler = memcached',
      `session.save_path = "${memcached}"`,
    ],
  },
  "Paketo's handler for Redis": {
    store: 'redis',
    lines: ({ redis }) => [
      'session.save_handler = redis',
      `session.save_path = "tcp://${redis}?auth=${encodeURIComponent(PASSWORD)}"`,
    ],
    own: 'session.name = PHPSESSID\n',
  },
  "Paketo's handler for Memcached": {
    store: 'memcached',
    lines: ({ memcached }) => ['session.save_handler = memcached', `session.save_path = "${memcached}"`],
    own: 'session.name = PHPSESSID\n',
  },
  'an ini file by hand, with a prefix, a serializer and a cookie of its own': {
    store: 'redis',
    lines: ({ redis }) => [
      'session.name = shop',
      'session.save_handler = redis',
      'session.serialize_handler = php_serialize',
      `session.save_path = "tcp://${redis}?auth[]=${encodeURIComponent(PASSWORD)}&prefix=shop%3A&timeout=1"`,
    ],
    settings: { PHP_SESSIONS_PREFIX: 'shop:', PHP_SESSIONS_SERIALIZER: 'php_serialize' },
    own: 'session.name = shop\n',
  },
}

const PUT = `session_id('visitor'); session_start(); $_SESSION['cart'] = 'book'; echo session_name();`
const LOOK = `session_id('visitor'); session_start(); echo session_name(), ' ', session_id(), ' ', $_SESSION['cart'] ?? '';`

describe.each(PHPS)('%s', (_, { loadExtensions, runPhp }) => {
  test.each(Object.entries(BEFORE))(
    'from %s: the visitor keeps the cookie and the session',
    async (_, { lines, store, settings = {}, own = '' }) => {
      const redis = await startRedis({ password: PASSWORD })
      const memcached = await startMemcached()
      onTestFinished(async () => {
        await Promise.all([redis.stop(), memcached.stop()])
      })
      const at = { redis: `${redis.host}:${redis.port}`, memcached: `127.0.0.1:${memcached.port}` }
      const extensions = loadExtensions('igbinary', 'msgpack', 'redis', 'memcached')
      const before = `${extensions}session.use_strict_mode = 0\n${lines(at).join('\n')}\n`
      const cookie = runPhp(before, PUT).toString()

      const server = store === 'redis' ? redis : memcached
      const credentials = {
        host: '127.0.0.1',
        port: server.port,
        ...(store === 'redis' ? { password: PASSWORD } : {}),
      }
      const { directives } = planFor([{ name: `${store}-sessions`, credentials }], settings)
      const after = `${extensions}${renderIni(directives)}${own}`
      expect(runPhp(after, LOOK).toString()).toBe(`${cookie} visitor book`)
    },
  )

  test('from php-redis-session-abstract: nothing changes until the app changes over, then visitors are logged out once', async ({
    skip,
  }) => {
    skip(NO_ABSTRACT !== undefined, NO_ABSTRACT)
    const redis = await startRedis({ password: PASSWORD })
    onTestFinished(() => redis.stop())
    const extensions = loadExtensions('igbinary', 'msgpack', 'redis')
    const credentials = { host: '127.0.0.1', port: redis.port, password: PASSWORD }
    const { directives } = planFor([{ name: 'redis-sessions', credentials }])
    const before = `${extensions}session.use_strict_mode = 0\nsession.name = shop\n`
    const after = `${extensions}${renderIni(directives)}session.name = shop\n`
    const library = abstractHandler(redis.port, PASSWORD)
    expect(runPhp(before, `${library} ${PUT}`).toString()).toBe('shop')
    expect(runPhp(after, `${library} ${LOOK}`).toString()).toBe('shop visitor book')

    // Neither an error nor a part of the old session: a new one, under the same cookie.
    expect(runPhp(after, LOOK).toString()).toMatch(/^shop (?!visitor )\S+ $/)
    const [id = ''] = runPhp(after, `session_start(); $_SESSION['cart'] = 'pen'; echo session_id();`)
      .toString()
      .split(' ')
    expect(runPhp(after, LOOK.replace('visitor', id)).toString()).toBe(`shop ${id} pen`)

    // Instances that have not changed over keep theirs.
    expect(runPhp(before, `${library} ${LOOK}`).toString()).toBe('shop visitor book')
  })
})
