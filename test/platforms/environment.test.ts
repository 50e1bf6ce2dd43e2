import { expect, test } from 'vitest'
import { readVariables } from '../../src/platforms/environment.ts'
import { fakeHost } from '../support/host/fake-host.ts'
import { planOn } from '../support/plan.ts'

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
  expect(names({ REDIS_URL: '$SCALINGO_REDIS_URL', SCALINGO_REDIS_URL: 'redis://a' })).toEqual([
    ['REDIS_URL', ['REDIS_URL']],
  ])
})

const chosenBy = (env: Record<string, string>) => {
  const { plan, findings } = planFrom(env)
  return plan?.service ?? findings.map(({ id }) => id).join()
}

const planFrom = (env: Record<string, string>) => {
  const { planned, findings } = planOn(fakeHost(env))
  return { plan: planned, findings }
}

/** Two services in the environment: what is chosen, or what is said, without PHP_SESSIONS_SERVICE. */
const TWO: readonly (readonly [what: string, env: Record<string, string>, chosen: string])[] = [
  ['hosts that differ', { REDIS_HOST: 'a', SESSION_REDIS_HOST: 'b' }, 'store.undecided'],
  ['URLs that differ', { REDIS_URL: 'redis://a', CACHE_REDIS_URL: 'redis://b' }, 'store.undecided'],
  ['passwords that differ', { REDIS_URL: 'redis://:1@a', APP_REDIS_URL: 'redis://:2@a' }, 'store.undecided'],
  ['only one with a password', { REDIS_URL: 'redis://a', APP_REDIS_URL: 'redis://:2@a' }, 'store.undecided'],
  ['only one with TLS', { REDIS_URL: 'redis://a', APP_REDIS_URL: 'rediss://a' }, 'store.undecided'],
  ['users that differ', { REDIS_URL: 'redis://u:1@a', APP_REDIS_URL: 'redis://v:1@a' }, 'store.undecided'],
  ['ports that differ', { REDIS_URL: 'redis://a', SHOP_REDIS_URL: 'redis://a:6380' }, 'store.undecided'],
  [
    'masters that differ',
    { REDIS_SENTINELS: 's', REDIS_MASTER_NAME: 'm', X_REDIS_SENTINELS: 's', X_REDIS_MASTER_NAME: 'n' },
    'store.undecided',
  ],
  ['a URL under another name', { REDIS_URL: 'redis://a', SESSION_STORE: 'redis://b' }, 'store.undecided'],
  ['two kinds', { REDIS_URL: 'redis://a', SESSION_STORE: 'memcached://b' }, 'store.undecided'],
  ['two kinds on one host', { REDIS_HOST: 'a', MEMCACHED_HOST: 'a' }, 'store.undecided'],
  ['equal URLs', { REDIS_URL: 'redis://:p@a/0', SHOP_REDIS_URL: 'redis://default:p@A:6379' }, 'REDIS_URL'],
  [
    'an equal host and URL',
    { REDIS_HOST: 'a', REDIS_PASSWORD: 'p', MY_REDIS_URL: 'redis://:p@a' },
    'REDIS_HOST',
  ],
  [
    'an equal URL under another name',
    { REDIS_URL: 'redis://a', SESSION_STORE: 'redis://a:6379' },
    'REDIS_URL',
  ],
  [
    'another database of one server',
    { REDIS_URL: 'redis://a', SESSION_REDIS_URL: 'redis://a/1' },
    'REDIS_URL',
  ],
  ["a platform's own name", { REDIS_URL: 'redis://a', HEROKU_REDIS_RED_URL: 'redis://b' }, 'REDIS_URL'],
  ['a URL for a queue', { REDIS_URL: 'redis://a', CELERY_BROKER_URL: 'redis://b/1' }, 'REDIS_URL'],
]

test.each(TWO)('two services in the environment, %s: both can be named', (_what, env, chosen) => {
  expect(chosenBy(env)).toBe(chosen)
  const places = Object.keys(env).filter((name) => /HOST|URL|STORE|SENTINELS/.test(name))
  for (const name of places) {
    const named = planFrom({ ...env, PHP_SESSIONS_SERVICE: name })
    expect([name, named.findings.filter(({ level }) => level === 'error')]).toEqual([name, []])
    const isKept = named.plan?.service === name || chosen === named.plan?.service
    expect([name, isKept]).toEqual([name, true])
  }
})

test.each([
  ['SESSION_STORE', 'redis://u:p@h:1/2', 'redis'],
  ['SESSIONS', 'rediss://:p@h', 'redis'],
  ['CACHE_DSN', 'valkey://h', 'redis'],
  ['KV_URL', 'valkeys://h', 'redis'],
  ['LOCK_DSN', 'redis+sentinel://h:26379/mymaster', 'redis'],
  ['DATABASE_URL', 'redis:?host[h]', 'redis'],
  ['SESSION_DSN', 'memcached://h', 'memcached'],
  ['CELERY_RESULT_BACKEND', 'redis://h', 'redis'],
])('a URL of a store is a candidate under any name: %s=%s', (name, uri, store) => {
  const { plan } = planFrom({ [name]: uri, APP_PASSWORD: 'x', DATABASE_HOST: 'db' })
  expect([plan?.store.name, plan?.service]).toEqual([store, name])
})

test.each([
  ['SESSION_STORE', 'tcp://h:6379'],
  ['SESSION_STORE', 'redis'],
  ['REPLICA_URL', 'redis://h'],
  ['APP_URL', 'https://redis.example'],
  ['SEEN_ON', 'see redis://h'],
])('not a candidate: %s=%s', (name, value) => {
  expect(names({ [name]: value })).toEqual([])
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
