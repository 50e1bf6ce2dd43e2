import { memcachedService, redisService, type Service, vcapServices } from '../../../lab/bindings.ts'
import { OPTIONS } from '../../../src/core/options.ts'
import type { PoolLine } from '../../../src/php/answers.ts'
import { APPS } from '../../frameworks/apps.ts'
import { fc } from '../properties.ts'
import { mutatedShapes } from '../values/mutations.ts'
import { BROKER_SHAPES, FIELD_SHAPES, type Shape } from '../values/shapes.ts'
import type { World, WorldPhp } from './worlds.ts'

const PEM = (label: string) => `-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`
const KEYS = ['11'.repeat(32), '22'.repeat(32)]

/** Credentials that a plan follows in ways of their own. */
const CREDENTIALS: readonly Service['credentials'][] = [
  { host: '10.0.4.30', port: 6379 },
  { uri: 'rediss://:pw@redis.example:6380' },
  { uri: 'rediss://app:pw@redis.example:6380/3', ca: PEM('CERTIFICATE') },
  {
    uri: 'rediss://:pw@redis.example:6380',
    client_certificate: PEM('CERTIFICATE'),
    client_key: PEM('PRIVATE KEY'),
  },
  { sentinels: ['s1:26379', 's2:26379'], master_name: 'm', password: 'pw' },
  { uri: 'redis+cluster://:pw@c1:7000,c2:7001/2' },
  { host: '10.0.4.30', password: 'pw', encryption_key: KEYS[0] ?? '' },
  { hosts: ['h1', 'h2'], password: 'pw' },
  { password: 'pw' },
  {},
]
const POOLS: readonly Service['credentials'][] = [
  memcachedService.credentials,
  { servers: 'mc1.example' },
  { host: 'mc.example', username: 'app', password: 'pw' },
  { servers: 'mc1.example:0' },
]

const serviceOf = ({ label, plan, tags, credentials }: Shape, name: string): Service =>
  ({ name, label, ...(plan && { plan }), ...(tags && { tags }), credentials }) as Service
const shaped = fc.oneof(fc.constantFrom(...BROKER_SHAPES, ...FIELD_SHAPES), mutatedShapes)
const service = (name: string): fc.Arbitrary<Service> =>
  fc.oneof(
    fc.constantFrom(...CREDENTIALS).map((credentials) => ({ ...redisService, name, credentials })),
    fc.constantFrom(...POOLS).map((credentials) => ({ ...memcachedService, name, credentials })),
    shaped.map((shape) => serviceOf(shape, name)),
  )

/** None, one or several services, of which one or two may be candidates. */
const services = fc
  .tuple(
    fc.option(service('app-redis-sessions'), { nil: undefined, freq: 6 }),
    fc.option(service('old-memcached-sessions'), { nil: undefined, freq: 1 }),
    fc.option(service('old'), { nil: undefined, freq: 1 }),
  )
  .map((all) => all.filter((one) => one !== undefined))

/** Values of settings, of which some are none. Others are switches. */
const VALUES: Partial<Readonly<Record<keyof typeof OPTIONS, readonly string[]>>> = {
  REDIS_SESSION_STORE_SERVICE_NAME: ['old', 'nothing'],
  MEMCACHED_SESSION_STORE_SERVICE_NAME: ['old', 'redis-sessions'],
  PHP_SESSIONS_SERVICE: ['old', 'none', 'nobody', 'app-redis-sessions'],
  PHP_SESSIONS_PREVIOUS: ['old', 'files', '/srv/sessions', 'nobody', 'old-memcached-sessions'],
  PHP_SESSIONS_TOPOLOGY: ['single', 'cluster', 'sentinel', 'pool'],
  PHP_SESSIONS_MAX_WAIT: ['5', '0', '600'],
  PHP_SESSIONS_MAX_WAITING: ['0', '3', '-1'],
  PHP_SESSIONS_SLOW_WAIT: ['0', '0.5', 'x'],
  PHP_SESSIONS_LIFETIME: ['7200', '1d'],
  PHP_SESSIONS_FIRST_LIFETIME: ['60', '0', 'x'],
  PHP_SESSIONS_PREFIX: ['shop:', 'a b'],
  PHP_SESSIONS_SERIALIZER: ['igbinary', 'json'],
  PHP_SESSIONS_HANDLER: ['auto', 'native', 'managed', 'other'],
  PHP_SESSIONS_ON_STORE_ERROR: ['stop', 'empty', 'x'],
  PHP_SESSIONS_ENCRYPTION_KEY: [KEYS.join(), KEYS[1] ?? '', 'short', 'file:/nowhere', `none,${KEYS[0]}`],
  PHP_SESSIONS_COMPRESSION: ['zstd', 'gzip', 'x'],
  PHP_SESSIONS_ON_ERROR: ['stop', 'files', 'x'],
}
const SWITCHED = ['on', 'off', 'maybe']
const NAMES = Object.keys(OPTIONS) as (keyof typeof OPTIONS)[]
const option = fc
  .constantFrom(...NAMES, 'PHP_SESSIONS_HANDLER' as const, 'PHP_SESSIONS_PREVIOUS' as const)
  .chain((name) => fc.constantFrom(...(VALUES[name] ?? SWITCHED)).map((value) => [name, value] as const))
const options = fc
  .array(option, { maxLength: 4 })
  .map((all): Record<string, string> => Object.fromEntries(all))
const stranger = fc.constantFrom({}, {}, {}, { PHP_SESSIONS_LOCKIN: 'on' }, { PHP_SESSIONS_COLOUR: 'red' })

const SETTINGS: readonly (readonly [name: string, value: string])[] = [
  ['session.save_handler', 'files'],
  ['session.save_handler', 'redis'],
  ['session.save_path', '/tmp'],
  ['session.save_path', 'tcp://10.1.1.1:6379?auth=of-another'],
  ['auto_prepend_file', '/app/first.php'],
  ['auto_prepend_file', 'none'],
  ['session.upload_progress.enabled', '1'],
  ['session.auto_start', '1'],
  ['disable_functions', 'exec,fsockopen,stream_socket_client'],
  ['open_basedir', '/app'],
]
const lines = fc
  .array(fc.constantFrom(...SETTINGS), { maxLength: 2 })
  .map((all): Record<string, string> => Object.fromEntries(all))
const rarely = <Value>(value: fc.Arbitrary<Value>, otherwise: Value) =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(otherwise) }, { weight: 1, arbitrary: value })

const php: fc.Arbitrary<Partial<WorldPhp>> = fc
  .record({
    answers: fc.constantFrom(true, true, true, true, true, true, true, false),
    versionId: fc.constantFrom(70433, 80030, 80136, 80210, 80236, 80330, 80405, 80500),
    phpredis: fc.constantFrom(null, '4.3.0', '5.3.7', '6.0.2', '6.2.0', '6.2.0'),
    hasMemcached: fc.boolean(),
    hangsInTls13: fc.boolean(),
    locksSettings: fc.constantFrom(false, false, false, true),
    maxExecutionSeconds: fc.constantFrom(0, 30, 30, 120, 900),
    definitions: rarely(lines, {}),
    codecs: fc.subarray(['sodium', 'zstd', 'lz4', 'gzip']),
  })
  .map(({ hasMemcached, ...said }) => ({
    ...said,
    extensions: [...(said.phpredis === null ? [] : ['redis']), ...(hasMemcached ? ['memcached'] : [])],
  }))

const poolLine = fc.record<PoolLine>({
  pool: fc.constantFrom('www', 'shop'),
  kind: fc.constantFrom('php_value', 'php_admin_value'),
  ...{ name: fc.constant(''), value: fc.constant(''), from: fc.constant('') },
})
const pools = fc
  .array(fc.tuple(poolLine, fc.constantFrom(...SETTINGS)), { minLength: 1, maxLength: 3 })
  .map((all): readonly PoolLine[] =>
    ['www', 'shop'].flatMap((pool) => {
      const own = all.filter(([line]) => line.pool === pool)
      if (own.length === 0) return []
      const from = (number: number) => `/etc/php-fpm.d/${pool}.conf:${number}`
      return [
        { pool, kind: '', name: 'listen', value: pool === 'www' ? '9000' : '9001', from: from(2) },
        ...own.map(([line, [name, value]], i) => ({ ...line, name, value, from: from(i + 3) })),
      ]
    }),
  )

const textOf = (values: Readonly<Record<string, string>>) =>
  Object.entries(values)
    .map(([name, value]) => `${name} = "${value}"\n`)
    .join('')
const framework = fc.constantFrom(...APPS).map(([, , app]) => app)
const files = fc
  .record({ app: rarely(framework, {}), user: rarely(lines, {}), json: rarely(options, {}) })
  .map(
    ({ app, user, json }): Record<string, string> => ({
      ...app,
      ...(textOf(user) !== '' && { '.user.ini': textOf(user) }),
      ...(Object.keys(json).length > 0 && { '.bp-config/options.json': JSON.stringify(json) }),
    }),
  )

/** Worlds of every kind: what is bound and set, which PHP there is, and what else decides about its sessions. */
export const worlds: fc.Arbitrary<World> = fc
  .record({
    ...{ services, options, stranger, php },
    ...{ before: rarely(lines, {}), later: rarely(lines, {}), pools: rarely(pools, []), files },
  })
  .map(({ services: bound, options: set, stranger: other, ...world }) => ({
    ...world,
    env: { ...set, ...other, ...(bound.length > 0 && { VCAP_SERVICES: vcapServices(...bound) }) },
  }))
