import { expect, test } from 'vitest'
import type { JsonObject } from '../../src/core/binding.ts'
import { readOptions } from '../../src/core/options.ts'

const read = (env: Record<string, string>, file: JsonObject = {}) =>
  readOptions({ env, file: { value: file, from: '.bp-config/options.json' } })

test('without settings every option has its default', () => {
  expect(read({ PATH: '/bin' }, { PHP_VM: 'php' })).toEqual({
    options: {
      REDIS_SESSION_STORE_SERVICE_NAME: 'redis-sessions',
      MEMCACHED_SESSION_STORE_SERVICE_NAME: 'memcached-sessions',
      PHP_SESSIONS_LOCKING: true,
      PHP_SESSIONS_MAX_WAIT: undefined,
      PHP_SESSIONS_MAX_WAITING: 20,
      PHP_SESSIONS_HANDLER: 'auto',
      PHP_SESSIONS_WATCH: false,
      PHP_SESSIONS_ON_ERROR: 'stop',
    },
    findings: [],
  })
})

test('C4: the search key is read from options.json and from the environment, which wins', () => {
  const file = { REDIS_SESSION_STORE_SERVICE_NAME: 'from-file', MEMCACHED_SESSION_STORE_SERVICE_NAME: 'pool' }
  expect(read({}, file).options).toMatchObject(file)
  expect(read({ REDIS_SESSION_STORE_SERVICE_NAME: 'from-env' }, file).options).toMatchObject({
    REDIS_SESSION_STORE_SERVICE_NAME: 'from-env',
    MEMCACHED_SESSION_STORE_SERVICE_NAME: 'pool',
  })
  expect(read({ REDIS_SESSION_STORE_SERVICE_NAME: '' }, file).options).toMatchObject(file)
})

test.each([
  ['PHP_SESSIONS_LOCKING', 'off', false],
  ['PHP_SESSIONS_MAX_WAIT', '5', 5],
  ['PHP_SESSIONS_MAX_WAITING', '0', 0],
  ['PHP_SESSIONS_LIFETIME', '86400', 86400],
  ['PHP_SESSIONS_PREFIX', 'shop:', 'shop:'],
  ['PHP_SESSIONS_SERIALIZER', 'igbinary', 'igbinary'],
  ['PHP_SESSIONS_HANDLER', 'managed', 'managed'],
  ['PHP_SESSIONS_ON_STORE_ERROR', 'empty', 'empty'],
  ['PHP_SESSIONS_ON_ERROR', 'files', 'files'],
])('%s=%s is read', (name, text, value) => {
  expect(read({ [name]: text })).toMatchObject({ options: { [name]: value }, findings: [] })
})

test('a number or a boolean in JSON counts as its text', () => {
  expect(read({}, { PHP_SESSIONS_LIFETIME: 3600, PHP_SESSIONS_LOCKING: false })).toMatchObject({
    options: { PHP_SESSIONS_LIFETIME: 3600, PHP_SESSIONS_LOCKING: false },
    findings: [],
  })
})

test.each([
  ['PHP_SESSIONS_LOCKING', 'maybe'],
  ['PHP_SESSIONS_LIFETIME', '1h'],
  ['PHP_SESSIONS_MAX_WAIT', '0'],
  ['PHP_SESSIONS_MAX_WAITING', 'many'],
  ['PHP_SESSIONS_LIFETIME', '0'],
  ['PHP_SESSIONS_PREFIX', 'a b'],
  ['PHP_SESSIONS_HANDLER', 'files'],
  ['PHP_SESSIONS_ON_STORE_ERROR', 'files'],
  ['PHP_SESSIONS_ON_ERROR', 'ignore'],
  ['PHP_SESSIONS_SERIALIZER', 'json'],
])('%s=%s is refused, and the message says what was expected', (name, text) => {
  expect(read({ [name]: text }).findings).toMatchSnapshot()
})

test('an unknown option is refused, and the message suggests the nearest name', () => {
  const { findings } = read({ PHP_SESSIONS_LOCK: '1' }, { PHP_SESSIONS_TTL: 3 })
  expect(findings).toMatchSnapshot()
})

test('a list in place of text is refused', () => {
  expect(read({}, { PHP_SESSIONS_SERVICE: ['a'] }).findings).toMatchSnapshot()
})
