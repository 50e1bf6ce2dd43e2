import { expect, test } from 'vitest'
import { Secret } from '../../src/core/secret.ts'
import { renderFindings } from '../../src/plan/report.ts'
import { fakeHost } from '../support/host/fake-host.ts'
import { planOn } from '../support/plan.ts'
import { fc, PROPERTY_RUNS } from '../support/properties.ts'
import { ARRIVALS, FIELD_SHAPES } from '../support/values/shapes.ts'
import { credentials, json, KEYS, SECRET, scalar } from '../support/values/strange-json.ts'

const HOURS = 3_600_000
const RUNS = 5 * PROPERTY_RUNS
const HOST = { host: '10.9.9.9', port: 6379 }

/** Whatever comes in, there is a plan with a server, or local files; nothing is thrown, and no secret is said. */
function expectPlan(env: Record<string, string>, files: Record<string, string> = {}, secret?: string): void {
  const { planned, directives, findings, because } = planOn(fakeHost(env, files), { master: HOST })
  const path = directives.find(({ name }) => name === 'session.save_path')?.value
  const text = path instanceof Secret ? path.reveal() : String(path)
  expect(planned === undefined || text.length > 0).toBe(true)
  expect(text).not.toMatch(/\[object|NaN|function|undefined:/)
  if (planned === undefined) expect(directives).toEqual([])
  if (secret !== undefined) expect(renderFindings(findings) + because).not.toContain(secret)
}

test(
  `${RUNS} bindings of a stranger in VCAP_SERVICES`,
  () => {
    fc.assert(
      fc.property(credentials, fc.constantFrom('redis', 'memcached', '__proto__', 'x'), (own, label) => {
        const services = `{${JSON.stringify(label)}:[{"name":"a-${label === 'x' ? 'redis' : label}-sessions","credentials":${JSON.stringify(own)}}]}`
        expectPlan({ VCAP_SERVICES: services }, {}, SECRET)
      }),
      { numRuns: RUNS },
    )
  },
  HOURS,
)

test(
  `${RUNS} texts of a stranger as VCAP_SERVICES and PLATFORM_RELATIONSHIPS`,
  () => {
    fc.assert(
      fc.property(json, (any) => {
        const text = JSON.stringify(any) ?? ''
        expectPlan({ VCAP_SERVICES: text })
        expectPlan({ PLATFORM_RELATIONSHIPS: Buffer.from(text).toString('base64') })
        expectPlan({ VCAP_SERVICES: text.slice(0, -1) })
      }),
      { numRuns: RUNS },
    )
  },
  HOURS,
)

const asText = (value: unknown) => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))

test(
  `${RUNS} directories of a stranger`,
  () => {
    const file = fc.constantFrom(
      'type',
      'provider',
      '.metadata',
      'tags',
      '..data',
      'metadata/kind',
      'secret/uri',
      ...KEYS,
    )
    const entries = fc.array(fc.tuple(fc.constantFrom('a', 'b', '__proto__'), file, json), { maxLength: 10 })
    fc.assert(
      fc.property(entries, (all) => {
        const files = all
          .filter(([, name]) => name !== '' && !name.includes('\0'))
          .map(([binding, name, value]) => [`/bindings/${binding}/${name}`, asText(value)])
        expectPlan({ SERVICE_BINDING_ROOT: '/bindings' }, Object.fromEntries(files), SECRET)
      }),
      { numRuns: RUNS },
    )
  },
  HOURS,
)

test(
  `${RUNS} environments of a stranger`,
  () => {
    const name = fc
      .tuple(
        fc.constantFrom(
          'REDIS',
          'VALKEY',
          'MEMCACHED',
          'SESSION_REDIS',
          'APP',
          'REDIS_SESSIONS',
          '__proto__',
          '',
        ),
        fc.constantFrom(
          '',
          'HOST',
          'PORT',
          'URL',
          'PASSWORD',
          'TLS_URL',
          'CA',
          'CLUSTER',
          'SENTINEL',
          'SENTINELS',
          'SSL_X',
          'constructor',
          'FILE',
          'URL_FILE',
        ),
      )
      .map((parts) => parts.filter((part) => part !== '').join('_'))
    const value = scalar.map(asText).filter((text) => !text.includes('\0'))
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 8 }), (variables) => {
        expectPlan(Object.fromEntries(variables), {}, SECRET)
      }),
      { numRuns: RUNS },
    )
  },
  HOURS,
)

test.each(['__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty'])(
  'the name of a property of every object is no value of a setting: %s',
  (word) => {
    for (const name of ['PHP_SESSIONS_LOCKING', 'PHP_SESSIONS_WATCH', 'PHP_SESSIONS_HANDLER'])
      expect(planOn(fakeHost({ [name]: word })).findings).toMatchObject([{ id: 'option.value' }])
  },
)

test('a key that is there twice counts once, as JSON says: the last', () => {
  const services = '{"redis":[{"name":"redis-sessions","credentials":{"host":"a","host":"b"}}]}'
  expect(planOn(fakeHost({ VCAP_SERVICES: services })).planned?.endpoint.servers[0]?.value.host).toBe('b')
})

test('every shape is the same with its fields in another order', () => {
  for (const shape of FIELD_SHAPES) {
    const arrive = ARRIVALS.VCAP_SERVICES
    const turned = { ...shape, credentials: Object.fromEntries(Object.entries(shape.credentials).reverse()) }
    const [a, b] = [arrive?.(shape), arrive?.(turned)]
    if (a === undefined || b === undefined) continue
    const endpoint = ({ env }: { env: Record<string, string> }) =>
      JSON.stringify(planOn(fakeHost(env)).planned?.endpoint)?.replace(/"from":"[^"]*"/g, '')
    expect([shape.id, endpoint(b)]).toEqual([shape.id, endpoint(a)])
  }
})
