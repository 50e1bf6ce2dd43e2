import { describe, expect, test } from 'vitest'
import { CANARY, memcachedService, redisService, type Service } from '../../lab/bindings.ts'
import type { JsonObject } from '../../src/core/binding.ts'
import type { BoundStore } from '../../src/frameworks/bound.ts'
import { frameworkFindings } from '../../src/frameworks/findings.ts'
import { type Recognised, recogniseFramework } from '../../src/frameworks/recognise.ts'
import { renderFindings } from '../../src/plan/report.ts'
import { fakeHost } from '../support/host/fake-host.ts'
import { planFor } from '../support/plan.ts'
import { fc } from '../support/properties.ts'
import { APPS, type Files, LOSING } from './apps.ts'

const boundBy = (service: Service, env: Record<string, string> = {}): BoundStore => {
  const { planned } = planFor([service], env)
  if (planned === undefined) throw new Error('the service of the test is not usable')
  return planned
}
const redis = (credentials: JsonObject) => boundBy({ ...redisService, credentials })

const BOUND: Readonly<Record<string, BoundStore>> = {
  Redis: redis({ host: '10.0.4.30', port: 6379 }),
  'Redis with a plain password': redis({ host: '10.0.4.30', port: 6379, password: 'S3CRET' }),
  'Redis with a password': redis({ host: '10.0.4.30', port: 6379, password: CANARY }),
  'Redis with TLS, a user and a database': redis({
    uri: 'rediss://redis.example:6380/3',
    username: "o'app",
    password: CANARY,
  }),
  Memcached: boundBy({ ...memcachedService, credentials: { servers: 'mc1.example:11211' } }),
  'Memcached with a login': boundBy(memcachedService),
}

const recognise = (files: Files, env: Record<string, string> = {}): Recognised => {
  const given = Object.entries(files).map(([path, text]) => [`/app/${path}`, text])
  const recognised = recogniseFramework(fakeHost(env, Object.fromEntries(given)), '/app')
  if (recognised === undefined) throw new Error('the app of the test is not recognised')
  return recognised
}

/** Every app that loses its sessions or breaks, by its skeleton or by a setting. */
const losing = [
  ...APPS.filter(([, verdict]) => verdict === 'own-local' || verdict === 'breaks').map(
    ([id, , app]) => [id, app] as const,
  ),
  ...LOSING,
]

describe.each(Object.entries(BOUND))('with %s bound', (_name, bound) => {
  test.each(losing)('%s: what is wrong, and what to do', (_app, files) => {
    expect(renderFindings(frameworkFindings(recognise(files), bound))).toMatchSnapshot()
  })
})

const shared = APPS.filter(([, verdict]) => verdict === 'own-shared')

test.each(shared.map(([id, , files]) => [id, files] as const))(
  '%s loses no session, so there is no finding',
  (_id, files) => {
    const recognised = recognise(files)
    expect(Object.values(BOUND).flatMap((bound) => frameworkFindings(recognised, bound))).toEqual([])
  },
)

test('the note of every framework', () => {
  expect(APPS.map(([, , files]) => recognise(files).note)).toMatchSnapshot()
})

test('what to set in apps that share their sessions already, to use the bound service', () => {
  const advice = shared.map(([id, , files]) => [
    id,
    Object.values(BOUND).map((bound) => recognise(files).advice(bound)?.lines),
  ])
  expect(advice).toMatchSnapshot()
})

test("an app that uses PHP's handler needs no advice", () => {
  const safe = APPS.filter(([, verdict]) => verdict === 'php' || verdict === 'none')
  expect(safe.map(([, , files]) => recognise(files).advice(boundBy(redisService)))).toEqual(
    safe.map(() => undefined),
  )
})

test('no advice and no finding has the password in it', () => {
  for (const bound of Object.values(BOUND)) {
    for (const [, files] of [...losing, ...APPS.map(([id, , app]) => [id, app] as const)]) {
      const recognised = recognise(files)
      const said = JSON.stringify([
        recognised,
        recognised.advice(bound),
        frameworkFindings(recognised, bound),
      ])
      expect(said).not.toContain(JSON.stringify(CANARY).slice(1, -1))
      expect(said).not.toContain('c4n&ry')
      expect(said).not.toContain('S3CRET')
    }
  }
})

test('a password in the files of an app is not repeated', () => {
  const files = {
    ...LOSING[0]?.[1],
    '.env': `SESSION_DRIVER=file\nREDIS_PASSWORD="${CANARY}"\n`,
    'config/packages/framework.yaml': `handler_id: 'redis://:${CANARY}@h'\n`,
    'composer.json': `{"require": {"laravel/framework": "^10.0"}}`,
  }
  expect(JSON.stringify(recognise(files))).not.toContain('c4n&ry')
})

test('a user or a prefix cannot leave its quotes', () => {
  const text = fc.string({ minLength: 1, unit: fc.constantFrom(...`'"\\$;{}`, 'a', '\n') })
  const phalcon = APPS.find(([id]) => id === 'phalcon')?.[2] ?? {}
  fc.assert(
    fc.property(text, text, (user, prefix) => {
      const bound = { ...redis({ host: 'h', username: user, password: 'p' }), prefix }
      const [line = ''] = recognise(phalcon).advice(bound)?.lines ?? []
      const strings = [...line.matchAll(/'((?:[^'\\]|\\['\\])*)'/gs)].map(([, inner = '']) =>
        inner.replace(/\\(['\\])/g, '$1'),
      )
      expect(strings).toEqual(['host', 'h', 'port', 'auth', user, '<password>', 'index', 'prefix', prefix])
    }),
  )
})
