import { expect, test } from 'vitest'
import { vcapServices } from '../../../lab/bindings.ts'
import type { JsonObject } from '../../../src/core/binding.ts'
import { fakeHost } from '../../support/host/fake-host.ts'
import { planOn } from '../../support/plan.ts'

const PEM = (text: string) => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`

/** The plan for a binding in VCAP_SERVICES, or for variables. */
const planFor = (credentials: JsonObject, label = 'redis') => {
  const name = `app-${label}-sessions`
  return planOn(fakeHost({ VCAP_SERVICES: vcapServices({ name, label, credentials } as never) }))
}
const found = (credentials: JsonObject, label?: string) =>
  planFor(credentials, label).findings.map(({ id, level }) => `${level} ${id}`)

const SAP = { host: 'h', port: '6379', sentinelHost: 's', sentinelPort: '26379', password: 'p' }

test.each<[string, JsonObject, string, boolean]>([
  ['a flag that is on', { ...SAP, sentinelEnabled: 'true', primaryName: 'm' }, 'sentinel', false],
  ['a flag that is off', { ...SAP, sentinelEnabled: 'false', primaryName: 'm' }, 'single', false],
  ['no flag: the host follows the master', { ...SAP, primaryName: 'm' }, 'single', false],
  ['no flag and no master', SAP, 'single', true],
  ['an object with a flag', { ...SAP, sentinel: { enabled: true, master: 'm' } }, 'sentinel', false],
])('Sentinels beside a host: %s', (_what, credentials, topology, isWarned) => {
  const { planned, findings } = planFor(credentials)
  expect(planned?.endpoint.topology.value).toBe(topology)
  expect(findings.some(({ id }) => id === 'binding.sentinel')).toBe(isWarned)
})

test('a flag for Sentinel without Sentinels is refused', () => {
  expect(found({ host: 'h', sentinelEnabled: true })).toEqual(['error binding.shape'])
})

test.each<[string, JsonObject]>([
  ['tls_certs', { host: 'h', tls_certs: 'x' }],
  ['ssl_cert_reqs', { host: 'h', ssl_cert_reqs: 'none' }],
  ['sentinel_quorum', { host: 'h', sentinel_quorum: 2 }],
  ['cluster_slots', { host: 'h', cluster_slots: '0-5' }],
  ['server_ca_file', { host: 'h', server_ca_file: '/x' }],
  ['acl', { host: 'h', acl: '+@all' }],
  ['db_user', { host: 'h', db_user: 'u' }],
  ['any_name', { host: 'h', any_name: PEM('MIIB') }],
  ['nested.ssl_profile', { redis: { host: 'h', 'nested.ssl_profile': 'x' } }],
])('%s is not dropped silently', (name, credentials) => {
  const [finding] = planFor(credentials).findings
  expect(finding).toMatchObject({ id: 'binding.unread', level: 'warn' })
  expect(finding?.title).toContain(name.split('.').at(-1))
})

test.each<JsonObject>([
  { host: 'h', tls_versions: ['tlsv1.2'] },
  { host: 'h', cluster: 'main' },
  { host: 'h', sentinel_quorum: null, tls_certs: '', ssl_cert_reqs: [] },
  { host: 'h', some_ssl_thing: 'off' },
  { host: 'h', admin_user: 'a', secondary_tls_cert: 'x', reader_cluster: 'x' },
])('%o has nothing that needs a word', (credentials) => {
  expect(found(credentials)).toEqual([])
})

test.each<[Record<string, string>, string]>([
  [{ REDIS_HOST: 'h', REDIS_SSL_CERT_REQS: 'none' }, 'REDIS_SSL_CERT_REQS'],
  [{ REDIS_URL: 'redis://h', REDIS_TLS_SKIP_VERIFY: 'true' }, 'REDIS_TLS_SKIP_VERIFY'],
  [{ SESSION_REDIS_HOST: 'h', SESSION_REDIS_CERT_PATH: '/x' }, 'SESSION_REDIS_CERT_PATH'],
])('a variable is not dropped silently: %o', (env, name) => {
  expect(planOn(fakeHost(env)).findings).toMatchObject([
    { id: 'binding.unread', title: expect.stringContaining(name) },
  ])
})

test.each<[Record<string, string>, string]>([
  [{ REDIS_HOST: 'h', REDIS_CLUSTER: 'true' }, 'cluster'],
  [{ REDIS_HOST: 'h', REDIS_CLUSTER: 'redis' }, 'single'],
  [{ REDIS_HOST: 'h', REDIS_CLUSTER_ENABLED: '1' }, 'cluster'],
  [
    { REDIS_HOST: 'h', REDIS_SENTINEL: 'true', REDIS_SENTINEL_HOST: 's', REDIS_SENTINEL_MASTER: 'm' },
    'sentinel',
  ],
])('%o is a %s', (env, topology) => {
  expect(planOn(fakeHost(env)).planned?.endpoint.topology.value).toBe(topology)
})

test.each<[string, JsonObject]>([
  ['keys with a number', { server_ca_certs_0_cert: PEM('AAAA'), server_ca_certs_1_cert: PEM('BBBB') }],
  ['a list of texts', { cacrt: [PEM('AAAA'), PEM('BBBB')] }],
  ['a list of objects', { server_ca_certs: [{ cert: PEM('AAAA'), sha1: 'x' }, { cert: PEM('BBBB') }] }],
  ['one text', { ca: PEM('AAAA') + PEM('BBBB') }],
])('several CA certificates all count: %s', (_what, certificates) => {
  const { planned } = planFor({ host: 'h', ...certificates })
  expect(planned?.endpoint.ca?.value).toBe(PEM('AAAA') + PEM('BBBB'))
})

test.each<[Record<string, string>, string]>([
  [{ REDIS_HOST: 'h', REDIS_CA: '/etc/ssl/redis.pem' }, 'set REDIS_CA_FILE=/etc/ssl/redis.pem'],
  [{ REDIS_HOST: 'h', REDIS_TLS_CA: 'certs/ca.crt' }, 'set REDIS_TLS_CA_FILE=certs/ca.crt'],
  [{ VALKEY_HOST: 'h', VALKEY_CA_CERT: 'file:///etc/ca.crt' }, 'set VALKEY_CA_CERT_FILE=/etc/ca.crt'],
  [{ VALKEY_HOST: 'h', VALKEY_CA_CERT: '/etc/ca' }, 'set VALKEY_CA_CERT_FILE to that path'],
])('a path in place of a certificate: %o', (env, fix) => {
  const { planned, findings } = planOn(fakeHost(env))
  expect(planned).toBeUndefined()
  expect(findings).toMatchObject([{ id: 'binding.value', fix: expect.stringContaining(fix) }])
})

test('REDIS_CA_FILE names a file with the CA', () => {
  const host = fakeHost({ REDIS_HOST: 'h', REDIS_CA_FILE: '/etc/ca.pem' }, { '/etc/ca.pem': PEM('AAAA') })
  expect(planOn(host).planned?.endpoint).toMatchObject({ ca: { value: PEM('AAAA') }, tls: { value: true } })
})

test.each<JsonObject>([
  { host: 'h', tls: true },
  { uri: 'memcacheds://h' },
  { uri: 'tls://h:11211' },
  { servers: 'h', cacrt: PEM('AAAA') },
])('Memcached with TLS is refused: %o', (credentials) => {
  expect(found(credentials, 'memcached')).toEqual(['error memcached.tls'])
})

test('the messages', () => {
  const all = [
    planFor(SAP),
    planFor({ host: 'h', ssl_cert_reqs: 'none', sentinel_quorum: 2 }),
    planFor({ host: 'h', cacrt: '/etc/ca.pem' }),
    planFor({ host: 'h', tls: true }, 'memcached'),
    planOn(fakeHost({ REDIS_HOST: 'h', REDIS_CA: '/etc/ca.pem' })),
  ]
  expect(all.flatMap(({ findings }) => findings)).toMatchSnapshot()
})
