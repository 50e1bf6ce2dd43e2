import { expect, test } from 'vitest'
import { memcachedService } from '../../../lab/bindings.ts'
import type { JsonObject } from '../../../src/core/binding.ts'
import { renderIni } from '../../../src/core/formats/ini.ts'
import { DEFAULT_PHP } from '../../../src/core/php.ts'
import { planFor, valuesOf } from '../../support/plan.ts'

const plan = (credentials: JsonObject, env?: Record<string, string>, major = 8) =>
  planFor([{ ...memcachedService, credentials }], env, { ...DEFAULT_PHP, major })
const values = (credentials: JsonObject, env?: Record<string, string>, major?: number) =>
  valuesOf(plan(credentials, env, major))

test('C8 C9: the whole ini of a Memcached service with a login, every directive with its reason', () => {
  expect(renderIni(plan({ servers: 'h:1', username: 'u', password: 'p;w=x' }).directives)).toMatchSnapshot()
})

test.each<[string, JsonObject, string]>([
  ['one server', { servers: 'h:11212' }, 'h:11212'],
  [
    'several servers, some without a port, with blanks',
    { servers: 'a:1, b  c;d:4' },
    'a:1,b:11211,c:11211,d:4',
  ],
  ['a list of strings', { servers: ['a:1', 'b:2'] }, 'a:1,b:2'],
  ['weights', { servers: 'a:1:2,b:1:1' }, 'a:1:2,b:1:1'],
  ['host and port', { host: 'a', port: '11212' }, 'a:11212'],
  ['a hostname without a port', { hostname: 'a' }, 'a:11211'],
  ['a list of objects', { servers: [{ host: 'a', port: 1 }, { hostname: 'b' }] }, 'a:1,b:11211'],
  ['a URI', { uri: 'memcached://u:p@a:1,b:2' }, 'a:1,b:2'],
  ['IPv6', { servers: '[::1]:11211' }, '[::1]:11211'],
])('C8: save_path: %s', (_name, credentials, expected) => {
  expect(values(credentials)['session.save_path']).toBe(expected)
})

test('C8: PHP 5 gets the form that only php-memcached 2 understands, PHP 7 and later its own setting', () => {
  const five = values({ servers: 'a:1,b:2' }, {}, 5)
  expect(five['session.save_path']).toBe('PERSISTENT=app_sessions a:1,b:2')
  expect(five).not.toHaveProperty(['memcached.sess_persistent'])
  const seven = values({ servers: 'a:1' }, {}, 7)
  expect(seven).toMatchObject({ 'session.save_path': 'a:1', 'memcached.sess_persistent': true })
})

test('C9: a login is written only if the binding has one, and turns off persistent connections', () => {
  const none = values({ servers: 'h:1' })
  for (const name of ['use_sasl', 'sess_sasl_username', 'sess_sasl_password'])
    expect(none).not.toHaveProperty([`memcached.${name}`])
  expect(values({ servers: 'h:1', username: 'u', password: 'p' })).toMatchObject({
    'memcached.use_sasl': true,
    'memcached.sess_binary': true,
    'memcached.sess_binary_protocol': true,
    'memcached.sess_persistent': false,
    'memcached.sess_sasl_username': 'u',
    'memcached.sess_sasl_password': 'p',
  })
})

test.each<[string, JsonObject]>([
  ['only separators', { servers: ' , ' }],
  ['no servers', { username: 'u', password: 'S3CRET' }],
  ['a server that is not a host', { servers: 'h:1,user:S3CRET@h' }],
  ['a port out of range', { servers: 'h:99999' }],
  ['a user without a password', { servers: 'h:1', username: 'u' }],
  ['a password without a user', { servers: 'h:1', password: 'S3CRET' }],
])('refused: %s', (_name, credentials) => {
  const { planned, directives, findings } = plan(credentials)
  expect({ planned, directives }).toEqual({ planned: undefined, directives: [] })
  expect(findings).toMatchSnapshot()
  expect(JSON.stringify(findings)).not.toContain('S3CRET')
})

test('a Memcached user may be named default', () => {
  expect(values({ servers: 'h:1', username: 'default', password: 'p' })['memcached.sess_sasl_username']).toBe(
    'default',
  )
})

test('options are written where php-memcached reads them', () => {
  const env = { PHP_SESSIONS_PREFIX: 'shop:', PHP_SESSIONS_LOCKING: 'off' }
  expect(values({ servers: 'h:1' }, env)).toMatchObject({
    'memcached.sess_prefix': 'shop:',
    'memcached.sess_locking': false,
  })
})

test.each([
  [undefined, 1],
  ['1.0.18', 2],
  ['1.1.4', 1],
])('a pool drops a server that died with libmemcached %s', (libmemcached, limit) => {
  const php = libmemcached === undefined ? DEFAULT_PHP : { ...DEFAULT_PHP, libmemcached }
  const service = { ...memcachedService, credentials: { servers: 'a,b' } }
  expect(valuesOf(planFor([service], {}, php))['memcached.sess_server_failure_limit']).toBe(limit)
})
