import { expect, test } from 'vitest'
import { readVariables } from '../../src/platforms/environment.ts'
import { fakeHost } from '../support/fake-host.ts'

const names = (env: Record<string, string>) =>
  readVariables(fakeHost(env)).bindings.map(({ name, credentials }) => [name, Object.keys(credentials)])

test('variables whose names differ only in the field are one binding, named after the place', () => {
  expect(names({ REDIS_HOST: 'h', REDIS_PORT: '1', REDIS_PASSWORD: 'p', HOME: '/root' })).toEqual([
    ['REDIS_HOST', ['REDIS_HOST', 'REDIS_PASSWORD', 'REDIS_PORT']],
  ])
  expect(names({ VALKEY_URI_SESSIONS: 'valkeys://h', VALKEY_PASSWORD_SESSIONS: 'p' })).toEqual([
    ['VALKEY_URI_SESSIONS', ['VALKEY_PASSWORD_SESSIONS', 'VALKEY_URI_SESSIONS']],
  ])
  expect(names({ REDIS_URL: 'redis://a', MEMCACHIER_SERVERS: 'b', REDIS_TLS_URL: 'rediss://a' })).toEqual([
    ['REDIS_TLS_URL', ['REDIS_TLS_URL', 'REDIS_URL']],
    ['MEMCACHIER_SERVERS', ['MEMCACHIER_SERVERS']],
  ])
})

test.each<[string, Record<string, string>]>([
  [
    'what Kubernetes and Docker say about a neighbour',
    {
      REDIS_SERVICE_HOST: '10.0.0.1',
      REDIS_SERVICE_PORT: '6379',
      REDIS_PORT: 'tcp://10.0.0.1:6379',
      REDIS_PORT_6379_TCP: 'tcp://10.0.0.1:6379',
      REDIS_PORT_6379_TCP_ADDR: '10.0.0.1',
      REDIS_PORT_6379_TCP_PORT: '6379',
    },
  ],
  ['an HTTP interface', { UPSTASH_REDIS_REST_URL: 'https://x.upstash.io', UPSTASH_REDIS_REST_TOKEN: 't' }],
  ['a replica', { REDIS_REPLICA_URL: 'redis://r', REDIS_READ_HOST: 'r' }],
  ['fields without a place', { REDIS_PASSWORD: 'p', REDIS_CLIENT: 'phpredis', REDIS_CACHE_DB: '1' }],
  ['null and an empty value', { REDIS_HOST: 'null', REDIS_URL: '' }],
  ['the settings of php-sessions', { REDIS_SESSION_STORE_SERVICE_NAME: 'cache' }],
  ['a database of another kind', { DATABASE_URL: 'mysql://h/db' }],
])('not a binding: %s', (_name, env) => {
  expect(names(env)).toEqual([])
})

test("a port that Kubernetes sets beside the app's own host is ignored", () => {
  const [binding] = readVariables(fakeHost({ REDIS_HOST: 'h', REDIS_PORT: 'tcp://10.0.0.1:6379' })).bindings
  expect(binding?.credentials).toEqual({ REDIS_HOST: 'h' })
})

test("a service under two names counts once, and REDIS_URL comes before the platform's own names", () => {
  expect(names({ HEROKU_REDIS_RED_URL: 'redis://a', REDIS_URL: 'redis://a' })).toEqual([
    ['REDIS_URL', ['REDIS_URL']],
  ])
  expect(names({ HEROKU_REDIS_RED_URL: 'redis://b', REDIS_URL: 'redis://a' })).toEqual([
    ['REDIS_URL', ['REDIS_URL']],
  ])
  expect(names({ REDIS_URL: '$SCALINGO_REDIS_URL', SCALINGO_REDIS_URL: 'redis://a' })).toEqual([
    ['REDIS_URL', ['REDIS_URL']],
  ])
})

test('a search key finds a variable as it finds a service', () => {
  const [binding] = readVariables(fakeHost({ REDIS_SESSIONS_URL: 'redis://a' })).bindings
  expect(binding?.names.some((name) => name.includes('redis-sessions'))).toBe(true)
})

test('a secret is read from the file that a variable names; a missing file is an error', () => {
  const env = { REDIS_HOST: 'h', REDIS_PASSWORD_FILE: '/run/secrets/redis' }
  const { bindings } = readVariables(fakeHost(env, { '/run/secrets/redis': 'pw\n' }))
  expect(bindings[0]?.credentials).toEqual({ REDIS_HOST: 'h', REDIS_PASSWORD: 'pw' })
  expect(readVariables(fakeHost(env)).findings).toMatchSnapshot()
})

test('on Cloud Foundry a variable is not chosen for its kind alone', () => {
  const env = { REDIS_URL: 'redis://a', VCAP_APPLICATION: '{}' }
  expect(readVariables(fakeHost(env)).bindings[0]?.isChosenByKind).toBe(false)
})
