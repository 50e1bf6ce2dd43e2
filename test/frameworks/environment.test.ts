import { expect, test } from 'vitest'
import { CANARY, memcachedService, redisService, type Service } from '../../lab/bindings.ts'
import type { JsonObject } from '../../src/core/binding.ts'
import { Secret } from '../../src/core/secret.ts'
import { recogniseFramework } from '../../src/frameworks/recognise.ts'
import { fakeHost } from '../support/host/fake-host.ts'
import { planFor } from '../support/plan.ts'
import { APPS, type Files, locked } from './apps.ts'

const redis = (credentials: JsonObject): Service => ({ ...redisService, credentials })
const REDIS = redis({ host: '10.0.4.30', port: 6379, password: 'pw' })
const TLS = redis({ uri: 'rediss://redis.example:6380/3', username: 'app', password: 'pw' })

/** The variables for an app, secrets in clear. The app is Laravel 11 unless the files say otherwise. */
function variables(service: Service, files: Files = {}, env: Record<string, string> = {}, more: object = {}) {
  const { planned } = planFor([service])
  if (planned === undefined) throw new Error('the service of the test is not usable')
  const app = { ...locked('laravel/framework', 'v11.0.0'), ...files }
  const given = Object.entries(app).map(([path, text]) => [`/app/${path}`, text])
  const recognised = recogniseFramework(fakeHost(env, Object.fromEntries(given)), '/app')
  const found = recognised?.environment({ ...planned, ...more }) ?? []
  return Object.fromEntries(
    found.map(({ name, value }) => [name, value instanceof Secret ? value.reveal() : value]),
  )
}

const FOR_REDIS = {
  SESSION_DRIVER: 'redis',
  REDIS_CLIENT: 'phpredis',
  REDIS_HOST: '10.0.4.30',
  REDIS_PORT: '6379',
  REDIS_PASSWORD: 'pw',
}

const config = (database: string): Files => ({ 'config/database.php': database })
/** The connection in the skeletons of Laravel 11, 6 and 5.7. */
const SKELETON_11 = `'client' => env('REDIS_CLIENT', 'phpredis'),
'host' => env('REDIS_HOST', '127.0.0.1'),
'username' => env('REDIS_USERNAME'),
'password' => env('REDIS_PASSWORD'),
'port' => env('REDIS_PORT', '6379'),
`
const SKELETON_6 = SKELETON_11.replace(/'username'.*\n/, '')
const SKELETON_5 = SKELETON_6.replace(/'client'.*\n/, "'client' => 'predis',\n")

test('Redis with a password: the variables that the skeleton of Laravel reads', () => {
  expect(variables(REDIS)).toEqual(FOR_REDIS)
  expect(variables(REDIS, config(SKELETON_11))).toEqual(FOR_REDIS)
})

test('Redis with TLS, a user, a database and a prefix', () => {
  expect(variables(TLS, config(SKELETON_11), {}, { prefix: 'shop:' })).toEqual({
    ...FOR_REDIS,
    REDIS_HOST: 'tls://redis.example',
    REDIS_PORT: '6380',
    REDIS_USERNAME: 'app',
    REDIS_DB: '3',
    REDIS_PREFIX: 'shop:',
  })
})

test('Memcached with a login: the first server, because the skeleton has only one', () => {
  expect(variables(memcachedService)).toEqual({
    SESSION_DRIVER: 'memcached',
    MEMCACHED_HOST: 'mc1.example',
    MEMCACHED_PORT: '11211',
    MEMCACHED_USERNAME: 'app',
    MEMCACHED_PASSWORD: CANARY,
  })
})

test('the master that the Sentinels named is the host', () => {
  const sentinels = redis({ sentinels: ['s1:26379', 's2:26379'], master_name: 'm', password: 'pw' })
  expect(variables(sentinels)).toEqual({ ...FOR_REDIS, REDIS_HOST: 'MASTER', REDIS_PORT: 'PORT' })
  const servers = [{ value: { host: '10.0.0.9', port: 6390 }, from: 'the Sentinels' }]
  expect(variables(sentinels, {}, {}, { servers })).toEqual({
    ...FOR_REDIS,
    REDIS_HOST: '10.0.0.9',
    REDIS_PORT: '6390',
  })
})

test.each<[string, string]>([
  ['null', '"null"'],
  ['TRUE', '"TRUE"'],
  ['(empty)', '"(empty)"'],
  ['"quoted"', '""quoted""'],
  ["'quoted'", `"'quoted'"`],
  ['"', '"'],
  ['12345', '12345'],
  [CANARY, CANARY],
])('a password that env() of Laravel would change has one more pair of quotes: %s', (password, expected) => {
  expect(variables(redis({ host: 'h', password })).REDIS_PASSWORD).toBe(expected)
})

test.each<[string, Files, Record<string, string>?]>([
  [
    'nothing but what its .env.example has',
    { '.env': 'SESSION_DRIVER=file\nREDIS_HOST=127.0.0.1\nREDIS_PASSWORD=null\n' },
  ],
  ['the same driver', {}, { SESSION_DRIVER: 'redis' }],
  ['an empty variable', {}, { REDIS_HOST: '' }],
  ['a configuration of Laravel 6 and a server without a user', config(SKELETON_6)],
])('an app that has set %s gets the variables', (_what, files, env) => {
  expect(variables(REDIS, files, env)).toEqual(FOR_REDIS)
})

test.each<[string, Service, Files, Record<string, string>?]>([
  ['another driver in the environment', REDIS, {}, { SESSION_DRIVER: 'file' }],
  ['another driver in .env', REDIS, { '.env': 'SESSION_DRIVER=database\n' }],
  ['a server of its own', REDIS, { '.env': 'REDIS_HOST=cache.internal\n' }],
  ['a URL of its own', REDIS, {}, { REDIS_URL: 'redis://cache.internal' }],
  ['a connection of its own', REDIS, {}, { SESSION_CONNECTION: 'sessions' }],
  ['a password, where the server has none', redis({ host: 'h' }), { '.env': 'REDIS_PASSWORD=x\n' }],
  ['its configuration cached', REDIS, { 'bootstrap/cache/config.php': '<?php return [];' }],
  ['its driver written into the configuration', REDIS, { 'config/session.php': "'driver' => 'file',\n" }],
  ['its server written into the configuration', REDIS, config("'host' => 'h',\n")],
  ['Predis, which is not installed', REDIS, config(SKELETON_5)],
  ['a configuration without a user name', TLS, config(SKELETON_6)],
  [
    'a version that sends no user name',
    TLS,
    { ...config(SKELETON_11), ...locked('laravel/framework', 'v9.0.0') },
  ],
  ['a cluster, which it cannot use', redis({ uri: 'redis://a:1,redis://b:2' }), {}],
])('an app with %s gets no variables, not half of them', (_what, service, files, env) => {
  expect(variables(service, files, env)).toEqual({})
})

test('Predis is used if the app has it and the service has no TLS', () => {
  const predis = { ...config(SKELETON_5), 'composer.json': '{"require": {"predis/predis": "^1.1"}}' }
  expect(variables(REDIS, predis)).toEqual(FOR_REDIS)
  expect(variables(redis({ host: 'h', tls: true }), predis)).toEqual({})
})

test('only Laravel and the products built with it get variables', () => {
  const { planned } = planFor([REDIS])
  const able = APPS.filter(([, , files]) => {
    const given = Object.entries(files).map(([path, text]) => [`/app/${path}`, text])
    const recognised = recogniseFramework(fakeHost({}, Object.fromEntries(given)), '/app')
    return planned !== undefined && recognised?.environment(planned).length !== 0
  })
  expect(able.map(([id]) => id)).toEqual(['october', 'winter', 'laravel'])
})

test('every variable says why', () => {
  const { planned } = planFor([TLS])
  const recognised = recogniseFramework(
    fakeHost({}, { '/app/composer.lock': locked('laravel/framework', 'v11.0.0')['composer.lock'] ?? '' }),
    '/app',
  )
  expect(planned === undefined ? [] : recognised?.environment(planned)).toMatchSnapshot()
})
