import { expect, test } from 'vitest'
import { memcachedService, redisService, type Service } from '../support/bindings.ts'
import { planFor } from '../support/plan.ts'

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
