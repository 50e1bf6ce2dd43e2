import { expect, test } from 'vitest'
import { redisService } from '../../../lab/bindings.ts'
import type { JsonObject } from '../../../src/core/binding.ts'
import { renderIni } from '../../../src/core/formats/ini.ts'
import { DEFAULT_PHP } from '../../../src/core/php.ts'
import { planFor, valuesOf } from '../../support/plan.ts'

const plan = (credentials: JsonObject, env?: Record<string, string>) =>
  planFor([{ ...redisService, credentials }], env)
const path = (credentials: JsonObject, env?: Record<string, string>) =>
  valuesOf(plan(credentials, env))['session.save_path']

test('C6: the whole ini of a Redis service, every directive with its reason', () => {
  const { directives } = plan({ host: '10.0.4.30', port: 6379, password: 'a,b +c&d%e@' })
  expect(renderIni(directives)).toMatchSnapshot()
})

const REST = 'timeout=2&read_timeout=3&persistent=1&persistent_id=app_sessions'

test.each<[string, JsonObject, string]>([
  ['no password', { host: 'h', port: 6380 }, `tcp://h:6380?${REST}`],
  ['an empty password means no password', { host: 'h', password: '' }, `tcp://h:6379?${REST}`],
  ['null means no password', { host: 'h', password: null }, `tcp://h:6379?${REST}`],
  [
    'hostname, a port in quotes',
    { hostname: 'h', port: '6380', password: 'p' },
    `tcp://h:6380?auth=p&${REST}`,
  ],
  ['host before hostname', { hostname: 'b', host: 'a' }, `tcp://a:6379?${REST}`],
  ['ACL user', { host: 'h', username: 'u&', password: 'p' }, `tcp://h:6379?auth[]=u%26&auth[]=p&${REST}`],
  ['the default user', { host: 'h', username: 'default', password: 'p' }, `tcp://h:6379?auth=p&${REST}`],
  ['a TLS port before the port', { host: 'h', port: 6379, tls_port: 16379 }, `tls://h:16379?${REST}`],
  ['port 0 means no port', { host: 'h', port: 0, tls_port: '6380' }, `tls://h:6380?${REST}`],
  ['a TLS flag', { host: 'h', tls: true }, `tls://h:6379?${REST}`],
  ['a TLS flag that is off', { host: 'h', tls_enabled: 'false' }, `tcp://h:6379?${REST}`],
  ['a URI alone', { uri: 'redis://:p%2Bw@h:6399/3' }, `tcp://h:6399?auth=p%2Bw&${REST}&database=3`],
  ['a TLS URI with a user', { uri: 'rediss://app:pw@h:6380' }, `tls://h:6380?auth[]=app&auth[]=pw&${REST}`],
  ['a password in place of the user', { uri: 'redis://pw@h' }, `tcp://h:6379?auth=pw&${REST}`],
  [
    'fields before the URI',
    { host: 'a', password: 'x+y', uri: 'redis://u:x%2By@b:1' },
    `tcp://a:1?auth=x%2By&${REST}`,
  ],
  ['a URI that says TLS beside fields', { host: 'a', port: 1, uri: 'rediss://a:2' }, `tls://a:1?${REST}`],
  ['a placeholder user', { uri: 'redis://rediscloud:pw@h:1' }, `tcp://h:1?auth=pw&${REST}`],
  [
    'a URI in place of the host',
    { host: 'tls://h', port: '6380', password: 'p' },
    `tls://h:6380?auth=p&${REST}`,
  ],
  ['a Unix socket', { uri: 'unix:///run/redis.sock?db=2' }, `unix:///run/redis.sock?${REST}&database=2`],
  ['database 0', { uri: 'redis://h/0' }, `tcp://h:6379?${REST}`],
  ['IPv6 without brackets, as phpredis 5 needs', { host: '[fd00::1]' }, `tcp://fd00::1:6379?${REST}`],
  ['a number as password', { host: 'h', password: 123456 }, `tcp://h:6379?auth=123456&${REST}`],
])('save_path: %s', (_name, credentials, expected) => {
  expect(path(credentials)).toBe(expected)
})

test.each<[string, JsonObject]>([
  ['no host', { port: 6379, password: 'S3CRET' }],
  ['no fields at all', {}],
  ['a port that is not a number', { host: 'h', port: 'S3CRET' }],
  ['a port out of range', { host: 'h', port: 70000 }],
  ['text that is not a host', { host: 'S3CRET@h' }],
  ['a host with more after it', { host: 'h?auth=S3CRET' }],
  ['text that is not a URI', { uri: 'S3CRET@h' }],
  ['a URI of another kind', { uri: 'https://:S3CRET@h' }],
  ['several hosts that may be a cluster or replicas', { hosts: ['a', 'b'], password: 'S3CRET' }],
  ['text that is not a CA', { host: 'h', cacrt: 'S3CRET' }],
  ['a URI without a host', { uri: 'redis://:S3CRET@' }],
  ['a CredHub reference', { 'credhub-ref': '/c/broker/S3CRET' }],
  ['a NUL', { host: 'h', password: 'S3CRET\0' }],
  ['half a character', { host: 'h', password: 'S3CRET\ud800' }],
  ['a number that JSON cannot represent exactly', { host: 'h', password: 2 ** 60 }],
  ['an object for a password', { host: 'h', password: { S3CRET: 1 } }],
])('refused: %s', (_name, credentials) => {
  const { planned, directives, findings } = plan(credentials)
  expect({ planned, directives }).toEqual({ planned: undefined, directives: [] })
  expect(findings).toMatchSnapshot()
  // A message may show the name of a field, but never its value.
  expect(JSON.stringify(findings).replaceAll('"S3CRET":', '')).not.toContain('S3CRET')
})

test.each<[string, JsonObject]>([
  ['the host: b is used, not a', { uri: 'redis://a', host: 'b' }],
  ['the port: 2 is used, not 1', { uri: 'redis://h:1', host: 'h', port: 2 }],
  ['the password: the value of the field is used', { uri: 'redis://:S3CRET@h', host: 'h', password: 'p' }],
  ['the database: 4 is used, not 3', { uri: 'redis://h/3', database: 4 }],
  ['the database: 3 is used, not 0', { uri: 'redis://h/3?db=0' }],
  ['TLS: the connection uses TLS', { host: 'h', scheme: 'rediss', tls: false }],
])('two fields disagree on %s', (so, credentials) => {
  const { planned, findings } = plan(credentials)
  expect(planned).toBeDefined()
  expect(findings.map(({ id, title }) => [id, title])).toEqual([
    ['binding.conflict', `two fields disagree on ${so}`],
  ])
  expect(JSON.stringify(findings)).not.toContain('S3CRET')
})

test.each<[string, JsonObject]>([
  ['the same number twice', { uri: 'redis://h/3?db=3', database: '3' }],
  ['something else that is named database', { uri: 'redis://h/3', database: 'shop' }],
])('no two fields disagree on the database: %s', (_name, credentials) => {
  const { planned, findings } = plan(credentials)
  expect({ database: planned?.endpoint.database?.value, findings }).toEqual({ database: 3, findings: [] })
})

test('the user default is no user, of Redis or its Sentinels: older servers refuse every name', () => {
  const login = { username: 'default', password: 'p', sentinel_username: 'default', sentinel_password: 'q' }
  const sentinels = { sentinels: ['s:26379'], master_name: 'm', ...login }
  const { endpoint } = plan(sentinels).planned ?? {}
  expect({ user: endpoint?.user, sentinelUser: endpoint?.sentinel?.user }).toEqual({})
  expect(endpoint?.sentinel?.password?.value.reveal()).toBe('q')
})

test('the locks last as long as the longest request that the app may make', () => {
  const locks = (maxExecutionSeconds: number) => {
    const values = valuesOf(planFor([redisService], {}, { ...DEFAULT_PHP, maxExecutionSeconds }))
    const wait =
      (Number(values['redis.session.lock_wait_time']) * Number(values['redis.session.lock_retries'])) / 1e6
    return { expire: values['redis.session.lock_expire'], wait }
  }
  expect([30, 5, 300, 0].map(locks)).toEqual([
    { expire: 60, wait: 30 },
    { expire: 60, wait: 30 },
    { expire: 600, wait: 300 },
    { expire: 900, wait: 450 },
  ])
})

test('options are written where phpredis reads them', () => {
  const env = {
    PHP_SESSIONS_PREFIX: 'shop:',
    PHP_SESSIONS_LOCKING: 'off',
    PHP_SESSIONS_LIFETIME: '86400',
    PHP_SESSIONS_SERIALIZER: 'igbinary',
  }
  expect(path({ host: 'h' }, env)).toBe(`tcp://h:6379?${REST}&prefix=shop%3A`)
  expect(valuesOf(plan({ host: 'h' }, env))).toMatchObject({
    'redis.session.locking_enabled': false,
    'session.gc_maxlifetime': 86400,
    'session.serialize_handler': 'igbinary',
  })
})
