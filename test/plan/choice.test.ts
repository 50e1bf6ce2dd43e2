import { describe, expect, test } from 'vitest'
import { memcachedService, redisService, type Service, vcapServices } from '../../lab/bindings.ts'
import { fakeHost } from '../support/host/fake-host.ts'
import { planFor, planOn } from '../support/plan.ts'

const service = (name: string, more: Partial<Service> = {}): Service => ({ ...redisService, name, ...more })

const chosen = (services: readonly Service[], env?: Record<string, string>) => {
  const { planned, because, findings } = planFor(services, env)
  return {
    store: planned?.store.name ?? 'files',
    service: planned?.service,
    because,
    findings: findings.map(({ id }) => id),
  }
}

test('C1: with nothing bound sessions stay in files, and nothing is wrong', () => {
  expect(chosen([])).toMatchObject({ store: 'files', findings: [] })
  expect(chosen([service('my-cache')])).toMatchObject({
    store: 'files',
    because: 'no bound service has a name that contains redis-sessions or memcached-sessions',
    findings: [],
  })
})

test('C2 C3: the name decides', () => {
  expect(chosen([service('db'), service('app-redis-sessions-2')])).toMatchObject({
    store: 'redis',
    service: 'app-redis-sessions-2',
    because: 'its name contains redis-sessions',
  })
  expect(chosen([memcachedService])).toMatchObject({ store: 'memcached', service: 'app-memcached-sessions' })
})

test('C4: services are searched by name for another key', () => {
  const env = { REDIS_SESSION_STORE_SERVICE_NAME: 'cache' }
  expect(chosen([redisService, service('my-cache')], env)).toMatchObject({
    store: 'redis',
    service: 'my-cache',
  })
  expect(chosen([redisService], env)).toMatchObject({ store: 'files' })
})

test('Redis comes before Memcached, then the order of the bindings, with a warning', () => {
  const services = [memcachedService, service('b-redis-sessions'), service('a-redis-sessions')]
  expect(chosen(services)).toMatchObject({ service: 'b-redis-sessions', findings: ['store.ambiguous'] })
  expect(planFor(services).findings).toMatchSnapshot()
})

test('a service whose name contains both keys is one service', () => {
  expect(chosen([service('redis-sessions-memcached-sessions')])).toMatchObject({
    store: 'redis',
    findings: [],
  })
})

test('a named service is used whatever its name contains; its label or tags tell its kind', () => {
  const other = service('sessions', { label: 'memcachier', tags: ['caching'] })
  const env = { PHP_SESSIONS_SERVICE: 'sessions' }
  const credentials = { servers: 'h:1' }
  expect(chosen([redisService, { ...other, credentials }], env)).toMatchObject({
    store: 'memcached',
    findings: [],
  })
  expect(chosen([service('sessions', { label: 'x', tags: ['Valkey'] })], env)).toMatchObject({
    store: 'redis',
  })
})

test('a named service that is not bound, or of no known kind, is an error', () => {
  expect(planFor([redisService], { PHP_SESSIONS_SERVICE: 'app-redis-session' }).findings).toMatchSnapshot()
  expect(planFor([], { PHP_SESSIONS_SERVICE: 'x' }).findings).toMatchSnapshot()
  expect(
    planFor([service('db', { label: 'mysql', tags: ['sql'], credentials: { host: 'h', port: 3306 } })], {
      PHP_SESSIONS_SERVICE: 'db',
    }).findings,
  ).toMatchSnapshot()
})

test('a binding under a name of its own is found by both names', () => {
  const named = { ...redisService, name: 'sessions-binding', instance_name: 'app-redis-sessions' }
  expect(chosen([named])).toMatchObject({ service: 'app-redis-sessions' })
  expect(chosen([named], { PHP_SESSIONS_SERVICE: 'sessions-binding' })).toMatchObject({
    service: 'app-redis-sessions',
  })
})

describe('where names mean less', () => {
  const where = (env: Record<string, string>, files: Record<string, string> = {}) => {
    const { planned, because, findings } = planOn(fakeHost(env, files))
    return {
      store: planned?.store.name ?? 'files',
      service: planned?.service,
      because,
      findings: findings.map(({ id }) => id),
    }
  }
  const ROOT = { SERVICE_BINDING_ROOT: '/b' }

  test('the only Redis, Valkey or Memcached is the store', () => {
    const others = { '/b/db/type': 'postgresql', '/b/db/host': 'h', '/b/ca/type': 'ca-certificates' }
    expect(where(ROOT, { ...others, '/b/kv/type': 'valkey', '/b/kv/host': 'h' })).toEqual({
      store: 'redis',
      service: 'kv',
      because: 'it is the only Redis or Memcached in SERVICE_BINDING_ROOT',
      findings: [],
    })
    expect(where({ MEMCACHED_URL: 'h:1' })).toMatchObject({
      store: 'memcached',
      because: 'it is the only Redis or Memcached in the environment variables',
    })
  })

  test('of several the one whose name has the search key, else none, with a warning', () => {
    const two = { '/b/a/type': 'redis', '/b/a/host': 'h', '/b/b/type': 'memcached', '/b/b/host': 'h' }
    expect(where(ROOT, two)).toMatchObject({ store: 'files', findings: ['store.undecided'] })
    expect(where({ ...ROOT, PHP_SESSIONS_SERVICE: 'b' }, two)).toMatchObject({ store: 'memcached' })
    expect(
      where(ROOT, { ...two, '/b/x-redis-sessions/type': 'redis', '/b/x-redis-sessions/host': 'h' }),
    ).toMatchObject({
      service: 'x-redis-sessions',
      because: 'its name contains redis-sessions',
      findings: [],
    })
    expect(planOn(fakeHost(ROOT, two)).findings).toMatchSnapshot()
  })

  test("Paketo's types are there for sessions, whatever else is bound", () => {
    const files = {
      '/b/a/type': 'redis',
      '/b/a/host': 'h',
      '/b/s/type': 'php-memcached-session',
      '/b/s/servers': 'h',
    }
    expect(where(ROOT, files)).toMatchObject({
      store: 'memcached',
      service: 's',
      because: 'its type is php-memcached-session',
    })
  })

  test('a service that is visible in two sources is one', () => {
    const env = { ...ROOT, VCAP_SERVICES: vcapServices(redisService) }
    const files = { '/b/app-redis-sessions/type': 'redis', '/b/app-redis-sessions/host': 'in-a-file' }
    expect(where(env, files)).toMatchObject({ service: 'app-redis-sessions', findings: [] })
    expect(planOn(fakeHost(env, files)).planned?.endpoint.servers[0]?.value.host).toBe('in-a-file')
  })

  test('a variable is no store on Cloud Foundry, where services are bound, unless it is named', () => {
    const env = { REDIS_URL: 'redis://h', VCAP_APPLICATION: '{}' }
    expect(where(env)).toMatchObject({ store: 'files', findings: [] })
    expect(where({ ...env, PHP_SESSIONS_SERVICE: 'REDIS_URL' })).toMatchObject({ store: 'redis' })
  })
})

test('PHP_SESSIONS_SERVICE=none keeps local files, whatever is bound', () => {
  expect(chosen([redisService], { PHP_SESSIONS_SERVICE: 'none' })).toMatchObject({
    store: 'files',
    because: 'PHP_SESSIONS_SERVICE is none',
    findings: [],
  })
  expect(chosen([service('none')], { PHP_SESSIONS_SERVICE: 'none' })).toMatchObject({ service: 'none' })
})
