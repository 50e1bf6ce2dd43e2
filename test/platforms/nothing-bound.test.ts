import { expect, test } from 'vitest'
import { judgeBindings } from '../../src/plan/verdict.ts'
import { readInput } from '../../src/platforms/input.ts'
import { stores } from '../../src/stores/index.ts'
import { fakeHost } from '../support/host/fake-host.ts'
import { planOn } from '../support/plan.ts'

const because = (env: Record<string, string>, files: Record<string, string> = {}) =>
  planOn(fakeHost(env, files)).because

test('where services have no names, "nothing bound" lists the places that were searched', () => {
  expect([
    because({}),
    because({ SERVICE_BINDING_ROOT: '/bindings' }),
    because({ SERVICE_BINDING_ROOT: '/bindings' }, { '/bindings/db/type': 'postgresql' }),
    because({ CNB_PLATFORM_DIR: '/platform' }),
  ]).toMatchSnapshot()
})

test('on Cloud Foundry it speaks of the names of services', () => {
  for (const env of [{ VCAP_APPLICATION: '{}' }, { VCAP_SERVICES: '{}' }])
    expect(because(env)).toBe(
      'no bound service has a name that contains redis-sessions or memcached-sessions',
    )
})

test('a wish of the user is said instead', () => {
  expect(because({ PHP_SESSIONS_SERVICE: 'none' })).toBe('PHP_SESSIONS_SERVICE is none')
})

const verdicts = (env: Record<string, string>) => {
  const { bindings, options } = readInput(fakeHost(env), '/app')
  return judgeBindings(bindings, options, stores).map(
    ({ binding, because: why }) => `${binding.name}: ${why}`,
  )
}

test('why a variable is not chosen', () => {
  expect([
    verdicts({ VCAP_APPLICATION: '{}', REDIS_URL: 'redis://h', MEMCACHED_SERVERS: 'm' }),
    verdicts({ REDIS_URL: 'redis://h', SESSION_REDIS_URL: 'redis://h/1' }),
    verdicts({ REDIS_URL: 'redis://h', HEROKU_REDIS_RED_URL: 'redis://other' }),
    verdicts({ REDIS_URL: 'redis://h', CELERY_BROKER_URL: 'redis://queue' }),
    verdicts({ REDIS_HOST: 'a', SESSION_REDIS_HOST: 'b' }),
  ]).toMatchSnapshot()
})
