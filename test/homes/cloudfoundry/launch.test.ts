import { describe, expect, test } from 'vitest'
import { CANARY, memcachedService, redisService, vcapServices } from '../../../lab/bindings.ts'
import { main } from '../../../src/cli/main.ts'
import { fakeHost } from '../../support/host/fake-host.ts'

const INI = '/deps/1/php/etc/php.ini.d/00-php-sessions.ini'
const LOADED = '/deps/1/php/etc/php.ini.d/zz-php-sessions.ini'
const EXTENSIONS = '/deps/1/php/lib/php/extensions/no-debug-non-zts-20220829'
/** What a library has that is linked to both. */
const LINKED = '\x7fELF igbinary_serialize msgpack_serialize'
const UNLINKED = { [`${EXTENSIONS}/redis.so`]: '' }

/** A container as php_buildpack 5 leaves it, with more or other files. */
function container(env: Record<string, string>, files: Record<string, string | undefined> = {}) {
  const all = {
    '/deps/0/bin/php-sessions': '',
    '/deps/1/php/etc/php.ini': 'extension=redis.so\nmax_execution_time = 90\nextension=bz2.so',
    '/deps/1/php/etc/php.ini.d/include-path.ini': '',
    [`${EXTENSIONS}/igbinary.so`]: '',
    [`${EXTENSIONS}/msgpack.so`]: '',
    [`${EXTENSIONS}/redis.so`]: LINKED,
    [`${EXTENSIONS}/memcached.so`]: LINKED,
    ...files,
  }
  const there = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return fakeHost({ HOME: '/app', DEPS_DIR: '/deps', TMPDIR: '/tmp', ...env }, Object.fromEntries(there))
}

const redis = { VCAP_SERVICES: vcapServices(redisService) }
/** The extensions that a file of php-sessions loads. */
const loadedBy = (host: ReturnType<typeof container>, path = LOADED) =>
  [...(host.files.get(path) ?? '').matchAll(/^extension = "(.*)"$/gm)].map(([, name]) => name)
const launch = (host: ReturnType<typeof container>) => ({ status: main(host, ['launch']), ...host.output })

test('C5: the ini loads igbinary, msgpack and redis once, in order, and only its owner can read it', () => {
  const host = container(redis)
  expect(launch(host)).toMatchSnapshot()
  const ini = host.files.get(INI) ?? ''
  expect(loadedBy(host)).toEqual(['igbinary', 'msgpack', 'redis'])
  expect(host.modes.get(INI)).toBe(0o600)
  expect(host.files.get('/deps/1/php/etc/php.ini')).toBe(
    '; set aside by php-sessions: extension=redis.so\nmax_execution_time = 90\nextension=bz2.so',
  )
  expect(ini).toContain('redis.session.lock_expire = 180')
})

test('C7: the same for memcached', () => {
  const host = container({ VCAP_SERVICES: vcapServices(memcachedService) }, UNLINKED)
  expect(launch(host)).toMatchObject({ status: 0 })
  expect(loadedBy(host)).toEqual(['igbinary', 'msgpack', 'memcached'])
})

test('what ini files of the app load in a working order is left alone', () => {
  const own = {
    '/deps/1/php/etc/php.ini': '',
    '/deps/1/php/etc/php.ini.d/my.ini': 'extension=igbinary\nextension=msgpack\nextension=redis',
  }
  const host = container(redis, own)
  expect(launch(host)).toMatchObject({ status: 0 })
  expect(loadedBy(host)).toEqual([])
  expect(Object.fromEntries(host.files)).toMatchObject(own)
})

test('the file with the extensions sorts after every ini file of the app', () => {
  const host = container(redis, { '/deps/1/php/etc/php.ini.d/zzz.ini': 'extension=igbinary' })
  expect(launch(host)).toMatchObject({ status: 0 })
  const name = '/deps/1/php/etc/php.ini.d/zzz.ini-php-sessions.ini'
  expect(loadedBy(host, name)).toEqual(['msgpack', 'redis'])
  const later = fakeHost(
    { ...(host.env as Record<string, string>), VCAP_SERVICES: '{}' },
    { ...Object.fromEntries(host.files), ...UNLINKED },
  )
  main(later, ['launch'])
  expect(later.files.has(name)).toBe(false)
})

test('a second run of the same start changes nothing and says nothing', () => {
  const host = container(redis)
  launch(host)
  const after = new Map(host.files)
  const again = fakeHost(
    { ...(host.env as Record<string, string>), __PHP_SESSIONS_SAID: '1' },
    Object.fromEntries(host.files),
  )
  expect(main(again, ['launch'])).toBe(0)
  expect(again.output.err).toBe('')
  expect(again.files).toEqual(after)
})

test('C1: with nothing bound nothing is written and one line says so', () => {
  const host = container({ VCAP_SERVICES: '{}' }, UNLINKED)
  const before = new Map(host.files)
  expect(launch(host)).toMatchSnapshot()
  expect(host.files).toEqual(before)
})

test('when the service is gone our file goes too, and php.ini is as it was', () => {
  const host = container(redis)
  const before = new Map([...host.files, ...Object.entries(UNLINKED)])
  launch(host)
  const later = fakeHost(
    { ...(host.env as Record<string, string>), VCAP_SERVICES: '{}' },
    { ...Object.fromEntries(host.files), ...UNLINKED },
  )
  main(later, ['launch'])
  expect(later.files).toEqual(before)
})

test('a binding that cannot work stops the start and leaves what was there', () => {
  const host = container({
    VCAP_SERVICES: vcapServices({ ...redisService, credentials: { port: 1, password: CANARY } }),
  })
  host.files.set(INI, 'old')
  const before = new Map(host.files)
  expect(launch(host)).toMatchSnapshot()
  expect(host.files).toEqual(before)
})

test('PHP_SESSIONS_ON_ERROR=files continues with files, and says so', () => {
  const services = vcapServices({ ...redisService, credentials: {} })
  const host = container({ VCAP_SERVICES: services, PHP_SESSIONS_ON_ERROR: 'files' }, { [INI]: 'old' })
  expect(launch(host)).toMatchSnapshot()
  expect(host.files.has(INI)).toBe(false)
})

test('a missing extension is an error that says where it was looked for', () => {
  expect(launch(container(redis, { [`${EXTENSIONS}/redis.so`]: undefined }))).toMatchSnapshot()
})

test('a container without PHP is an error when a store is bound, and fine when none is', () => {
  expect({ status: main(fakeHost(redis), ['launch']) }).toEqual({ status: 1 })
  const host = fakeHost({ ...redis, HOME: '/app', DEPS_DIR: '/deps' })
  expect(launch(host)).toMatchSnapshot()
  expect(main(fakeHost({}), ['launch'])).toBe(0)
})

test('php_buildpack 4: @ is doubled where its start halves it, and PHP is told of our directory where it has none', () => {
  const four = (files: Record<string, string>) =>
    fakeHost(
      { HOME: '/app', DEPS_DIR: '/deps', TMPDIR: '/tmp', VCAP_SERVICES: vcapServices(memcachedService) },
      {
        '/app/php/etc/php.ini': '',
        '/app/php/lib/php/extensions/no-debug-non-zts-20220829/memcached.so': '',
        ...files,
      },
    )
  const withDirectory = four({ '/app/php/etc/php.ini.d/x.ini': '' })
  expect(main(withDirectory, ['launch'])).toBe(0)
  expect(withDirectory.files.get('/app/php/etc/php.ini.d/00-php-sessions.ini')).toContain('#=@@@@\\\\"')
  expect(withDirectory.output.out).not.toContain('PHP_INI_SCAN_DIR')

  const without = four({})
  expect(main(without, ['launch'])).toBe(0)
  expect(without.files.get('/tmp/php-sessions/00-php-sessions.ini')).toContain('#=@@\\\\"')
  expect(without.output.out).toContain("export PHP_INI_SCAN_DIR=':/tmp/php-sessions'\n")
})

describe('a framework with session drivers of its own', () => {
  const laravel = {
    '/app/composer.lock': '{"packages": [{"name": "laravel/framework", "version": "v10.48.4"}]}',
  }

  test('gets its variables, where the app has none', () => {
    expect(launch(container(redis, laravel))).toMatchSnapshot()
  })

  test('keeps those that the app has', () => {
    const host = container({ ...redis, SESSION_DRIVER: 'database' }, laravel)
    expect(launch(host)).toMatchObject({ status: 0 })
    expect(host.output.out).not.toContain('REDIS_HOST')
  })

  test('is only named when the option is off', () => {
    const host = container({ ...redis, PHP_SESSIONS_FRAMEWORK: 'off' }, laravel)
    expect(launch(host)).toMatchObject({ status: 0 })
    expect(host.output.out).not.toContain('REDIS_HOST')
    expect(host.output.err).toContain('(framework.ignores)')
  })
})

test.each([
  ['of its owner alone', 0o600],
  ['of everybody', 0o644],
])('php.ini keeps its mode when its extensions are set aside: %s', (_name, mode) => {
  const host = container(redis)
  host.statuses.set('/deps/1/php/etc/php.ini', { mode })
  expect(launch(host).status).toBe(0)
  expect(host.modes.get('/deps/1/php/etc/php.ini')).toBe(mode)
})
