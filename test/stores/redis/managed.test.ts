import { expect, test } from 'vitest'
import { memcachedService, redisService } from '../../../lab/bindings.ts'
import type { JsonObject } from '../../../src/core/binding.ts'
import { renderIni } from '../../../src/core/formats/ini.ts'
import { DEFAULT_PHP, type Php } from '../../../src/core/php.ts'
import { revealIfSecret, Secret } from '../../../src/core/secret.ts'
import { words } from '../../../src/core/text.ts'
import { planFor, valuesOf } from '../../support/plan.ts'

const MANAGED = { PHP_SESSIONS_HANDLER: 'managed' }
const NATIVE = { PHP_SESSIONS_HANDLER: 'native' }
const OLD = { ...DEFAULT_PHP, runsManaged: false }
const BLOCKED: Php = {
  ...DEFAULT_PHP,
  obstacles: [{ id: 'handler.blocked', level: 'warn', title: 'it cannot', from: 'here', fix: 'mend it' }],
}
const PEM = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n'
const KEY = '-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n'
const SENTINELS = {
  master_name: 'mymaster',
  sentinels: [
    { host: 's1', port: 26379 },
    { host: 's2', port: 26379 },
  ],
  sentinel_password: "sent'inel",
  password: "pass'\\word",
}
const CLUSTER = { 'cluster.nodes': 'h1:7000,h2:7000', username: 'app', password: 'pw' }

const managed = (credentials: JsonObject, env: Record<string, string> = {}, php = DEFAULT_PHP) =>
  planFor([{ ...redisService, credentials }], { ...MANAGED, ...env }, php)
const file = ({ files }: ReturnType<typeof managed>, name: string) =>
  revealIfSecret(files.find(({ path }) => path === `/run/php-sessions/${name}`)?.text ?? '')
const store = (plan: ReturnType<typeof managed>) => file(plan, 'php-sessions-store.php')
const ids = ({ findings }: ReturnType<typeof managed>) => findings.map(({ id }) => id)

test.each<[string, JsonObject, 'native' | 'managed']>([
  ['one server', { host: 'h' }, 'native'],
  ['a cluster', CLUSTER, 'managed'],
  ['Sentinels', SENTINELS, 'managed'],
])(
  'the handler of %s is chosen for what is bound, where no setting says which',
  (_name, credentials, chosen) => {
    const plan = (env: Record<string, string>, php = DEFAULT_PHP) =>
      planFor([{ ...redisService, credentials }], env, php)
    const handlers = [{}, { PHP_SESSIONS_HANDLER: 'auto' }, NATIVE, MANAGED].map(
      (env) => plan(env).planned?.handler,
    )
    expect(handlers).toEqual([chosen, chosen, 'native', 'managed'])
    expect(renderIni(plan({}).directives).match(/^; .*installs the handler.*$/m)?.[0]).toMatchSnapshot()
    for (const php of [OLD, BLOCKED]) {
      const { planned, findings } = plan({}, php)
      expect(planned?.handler).toBe('native')
      expect(findings).toMatchSnapshot()
    }
  },
)

test('the ini has the lines of the native handler and those that install the managed one', () => {
  const credentials = { host: '10.0.4.30', port: 6379, password: 'secret' }
  const native = renderIni(planFor([{ ...redisService, credentials }]).directives)
  const plan = managed(credentials)
  const added = renderIni(plan.directives)
    .split('\n')
    .filter((line) => !native.split('\n').includes(line))
  expect(added.join('\n')).toMatchSnapshot()
  expect(plan.planned?.handler).toBe('managed')
  expect(plan.files.map(({ path, text }) => ({ path, isSecret: typeof text !== 'string' }))).toEqual([
    { path: '/run/php-sessions/php-sessions-handler.php', isSecret: false },
    { path: '/run/php-sessions/php-sessions-store.php', isSecret: true },
  ])
  expect(file(plan, 'php-sessions-handler.php')).toMatch(/^<\?php\n/)
})

test.each<[string, JsonObject, Record<string, string>?]>([
  ['one server', { host: 'h', port: 6380, username: 'u', password: "p'\\", database: 3 }],
  ['a Unix socket, without a password', { uri: 'unix:///run/redis.sock' }],
  ['the default user', { host: 'h', username: 'default', password: 'p' }],
  ['Sentinels', SENTINELS],
  ['a cluster', { ...CLUSTER, database: 3 }],
  [
    'every option',
    { host: 'h' },
    {
      PHP_SESSIONS_PREFIX: 'shop:',
      PHP_SESSIONS_LOCKING: 'off',
      PHP_SESSIONS_MAX_WAIT: '7',
      PHP_SESSIONS_MAX_WAITING: '3',
      PHP_SESSIONS_ON_STORE_ERROR: 'empty',
    },
  ],
  ['TLS with certificates', { host: 'h', tls_port: 6380, ca: PEM, client_cert: PEM, client_key: KEY }],
])('the handler is told: %s', (_name, credentials, env) => {
  expect(store(managed(credentials, env))).toMatchSnapshot()
})

test('with the managed handler the limits of the native one are not findings', () => {
  expect(ids(planFor([{ ...redisService, credentials: SENTINELS }], NATIVE))).toEqual(['redis.sentinel'])
  expect(ids(managed(SENTINELS))).toEqual([])
  expect(ids(managed({ ...CLUSTER, database: 3 }))).toEqual(['redis.database'])
  const old = { ...DEFAULT_PHP, phpredis: '5.3.7' }
  const certificates = { host: 'h', tls_port: 6380, ca: PEM, client_cert: PEM, client_key: KEY }
  expect(ids(planFor([{ ...redisService, credentials: certificates }], {}, old))).toEqual([
    'redis.client-certificate',
  ])
  const plan = managed(certificates, {}, old)
  expect(ids(plan)).toEqual([])
  // The bundle is for the native handler, where the managed one is bypassed.
  expect(plan.files.map(({ path }) => path.replace('/run/php-sessions/php-sessions-', ''))).toEqual(
    words('ca-bundle.pem ca.pem client.pem handler.php store.php'),
  )
})

test.each([SENTINELS, CLUSTER])(
  'workers have a file for what they know about several servers',
  (credentials) => {
    const state = managed(credentials).files.find(({ path }) => path.endsWith('/php-sessions-state.json'))
    expect(state?.text).toBeInstanceOf(Secret)
  },
)

test('a PHP that hangs in TLS 1.3 speaks TLS 1.2, or a warning says that it cannot', () => {
  const services = [{ ...redisService, credentials: { host: 'h', tls_port: 6380 } }]
  const plan = (phpredis: string, env = {}) =>
    planFor(services, env, { ...DEFAULT_PHP, phpredis, hangsInTls13: true })
  expect(valuesOf(plan('6.2.0'))['session.save_path']).toContain('stream[crypto_method]=33')
  expect(['5.3.7', '6.2.0'].map((phpredis) => ids(plan(phpredis)))).toEqual([['redis.tls13'], []])
  expect(ids(plan('5.3.7', MANAGED))).toEqual([])
})

test('strict mode is on for a cluster too', () => {
  const native = planFor([{ ...redisService, credentials: CLUSTER }], NATIVE)
  expect(valuesOf(native)['session.use_strict_mode']).toBe(false)
  expect(valuesOf(managed(CLUSTER))['session.use_strict_mode']).toBe(true)
})

test.each([
  ['/app/prepend.php', '/app/prepend.php'],
  ['none', undefined],
  ['', undefined],
])("the app's own auto_prepend_file %j is handed on as %j", (value, expected) => {
  const php = { ...DEFAULT_PHP, prependFile: { value, from: '/etc/php.ini' } }
  expect(valuesOf(managed({ host: 'h' }, {}, php))['php_sessions.auto_prepend_file']).toBe(expected)
})

test.each([
  ['a pool of Memcached servers', planFor([memcachedService], MANAGED)],
  ['PHP 8.0', managed({ host: 'h' }, {}, OLD)],
  ['an option of the managed handler', planFor([redisService], { PHP_SESSIONS_ON_STORE_ERROR: 'stop' })],
  ['another one', planFor([redisService], { PHP_SESSIONS_FIRST_LIFETIME: '60' })],
])('the native handler keeps the sessions, with a warning: %s', (_name, plan) => {
  expect(plan.findings).toMatchSnapshot()
  expect(plan.planned?.handler).toBe('native')
  expect(valuesOf(plan)).not.toHaveProperty('auto_prepend_file')
  expect(plan.files).toEqual([])
})
