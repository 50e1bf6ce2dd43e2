import { describe, expect, test } from 'vitest'
import { formatAddress } from '../../src/core/address.ts'
import type { Endpoint } from '../../src/core/endpoint.ts'
import { hasError } from '../../src/core/finding.ts'
import { renderIni } from '../../src/core/formats/ini.ts'
import { fakeHost } from '../support/host/fake-host.ts'
import { planOn } from '../support/plan.ts'
import { ARRIVALS, BROKER_SHAPES, FIELD_SHAPES, type Shape } from '../support/values/shapes.ts'

/** An endpoint in the words of the fixtures. */
function readingOf(endpoint: Endpoint): Record<string, unknown> {
  const { topology, servers, tls, user, password, database, ca, clientCertificate, sentinel } = endpoint
  const addresses = servers.map(({ value }) => formatAddress(value))
  const [first] = servers
  return {
    mode: topology.value,
    host: first?.value.host,
    socket: first?.value.host,
    port: first?.value.port,
    seeds: addresses,
    servers: addresses,
    sentinels: addresses,
    tls: tls.value,
    username: user?.value,
    password: password?.value.reveal() ?? null,
    sasl: user !== undefined && password !== undefined,
    database: database?.value,
    ca_pem: ca !== undefined,
    client_cert: clientCertificate !== undefined,
    master_name: sentinel?.masterName.value,
    sentinel_password: sentinel?.password?.value.reveal(),
    sentinel_username: sentinel?.user?.value,
  }
}

/** Facts in the fixtures that this test does not check: php-sessions does not read them. */
const NOT_READ = ['ambiguous', 'sentinel_available', 'verify_peer']

const arrivalsOf = (shapes: readonly Shape[]) =>
  shapes.flatMap((shape) =>
    Object.entries(ARRIVALS).flatMap(([way, arrive]) => {
      const arrival = arrive(shape)
      return arrival === undefined ? [] : [{ id: shape.id, way, shape, arrival }]
    }),
  )

describe.each([
  ['brokers', BROKER_SHAPES],
  ['field', FIELD_SHAPES],
])('%s', (_name, shapes) => {
  test.each(arrivalsOf(shapes))('$id is read correctly from $way', ({ shape, arrival }) => {
    const plan = planOn(fakeHost(arrival.env, arrival.files))
    const { expect: expected } = shape
    if (expected === null || expected.mode === 'unresolved-credhub-reference') {
      expect(plan.planned).toBeUndefined()
      return
    }
    if (expected.ambiguous?.includes('mode') === true && plan.planned === undefined) {
      expect(plan.findings.map(({ id }) => id)).toContain('binding.topology')
      return
    }
    expect({ errors: plan.findings.filter(({ level }) => level === 'error') }).toEqual({ errors: [] })
    const reading = readingOf(plan.planned?.endpoint as Endpoint)
    const wanted = Object.entries(expected).filter(
      ([name]) => !NOT_READ.includes(name) && !expected.ambiguous?.includes(name),
    )
    expect(Object.fromEntries(wanted.map(([name]) => [name, reading[name]]))).toEqual(
      Object.fromEntries(wanted),
    )
    // A user that the fixture does not expect must not be invented.
    if (!('username' in expected) && !('ambiguous' in expected)) expect(reading.username).toBeUndefined()
  })
})

test.each(BROKER_SHAPES.filter(({ expect: expected }) => expected !== null))(
  'the native ini of $id',
  (shape) => {
    const arrival = Object.values(ARRIVALS)
      .map((arrive) => arrive(shape))
      .find((found) => found !== undefined)
    const host = fakeHost({ ...arrival?.env, PHP_SESSIONS_HANDLER: 'native' }, arrival?.files)
    const plan = planOn(host, { master: { host: '10.9.9.9', port: 6379 }, directory: '/run' })
    const ini = renderIni(plan.directives).replace(/^;.*\n/gm, '')
    expect(hasError(plan.findings) ? plan.findings : ini).toMatchSnapshot()
  },
)
