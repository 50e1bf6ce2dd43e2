import { describe, expect, test } from 'vitest'
import { memcachedService, redisService, type Service, vcapServices } from '../../lab/bindings.ts'
import { main } from '../../src/cli/main.ts'
import { makeWatcher } from '../../src/watch/watch.ts'
import { locked } from '../frameworks/apps.ts'
import { askIn, HOMES, startIn, type World } from '../support/homes/worlds.ts'

const OLD_PHP = { versionId: 80210, hangsInTls13: true, phpredis: '5.3.7' }
const MANAGED = { PHP_SESSIONS_HANDLER: 'managed' }
const NATIVE = { PHP_SESSIONS_HANDLER: 'native' }

const redis = (credentials: Service['credentials']): Service => ({ ...redisService, credentials })
const TLS = redis({ uri: 'rediss://:pw@redis.example:6380' })
const SENTINELS = redis({ sentinels: ['s1:26379', 's2:26379'], master_name: 'm', password: 'pw' })
const MASTER = '10.0.0.9:6390'
const CLUSTER = redis({ uri: 'redis+cluster://:pw@c1:7000,c2:7001' })
const MEMCACHED: Service = {
  ...memcachedService,
  credentials: { host: 'mc.example', username: 'app', password: 'pw' },
}
const PEM = (label: string) => `-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`

const WORLDS: Readonly<Record<string, World>> = {
  'nothing bound': {},
  'one Redis': { service: redisService },
  'a move from another Redis': {
    env: {
      VCAP_SERVICES: vcapServices(redisService, { ...TLS, name: 'old' }),
      PHP_SESSIONS_PREVIOUS: 'old',
    },
    place: '10.0.4.30:6379',
  },
  'a move without the managed handler': {
    env: {
      VCAP_SERVICES: vcapServices(redisService, { ...TLS, name: 'old' }),
      PHP_SESSIONS_PREVIOUS: 'old',
    },
    php: { versionId: 80030 },
    finds: ['handler.native', 'previous.unused'],
  },
  'a time limit of 120 seconds in an ini file': { service: redisService, php: { maxExecutionSeconds: 120 } },
  'no time limit': { service: redisService, php: { maxExecutionSeconds: 0 } },
  'the managed handler on PHP 8.0': {
    service: redisService,
    env: MANAGED,
    php: { versionId: 80030 },
    finds: ['handler.native'],
  },
  'TLS on a PHP 8.2.10 with phpredis 5': {
    service: TLS,
    php: OLD_PHP,
    finds: ['redis.tls13'],
  },
  'TLS and the managed handler there': {
    service: TLS,
    env: MANAGED,
    php: OLD_PHP,
  },
  'TLS on PHP 8.4 with phpredis 6': { service: TLS, php: { versionId: 80405 } },
  Sentinels: { service: SENTINELS, place: MASTER },
  'Sentinels and the native handler': {
    service: SENTINELS,
    env: NATIVE,
    place: MASTER,
    finds: ['redis.sentinel'],
  },
  'a Redis Cluster': { service: CLUSTER },
  'a Memcached and the managed handler': { service: MEMCACHED, env: MANAGED },
  'a Memcached and the managed handler on PHP 8.0': {
    service: MEMCACHED,
    env: MANAGED,
    php: { versionId: 80030 },
    finds: ['handler.native'],
  },
  'a Memcached pool and the managed handler': {
    service: memcachedService,
    env: MANAGED,
    finds: ['handler.native'],
  },
  'a Redis Cluster and the native handler': { service: CLUSTER, env: NATIVE, finds: ['redis.cluster'] },
  'a Redis Cluster on PHP 8.0': {
    service: CLUSTER,
    php: { versionId: 80030 },
    finds: ['handler.native', 'redis.cluster'],
  },
  Memcached: { service: memcachedService },
  'Memcached and the managed handler': { service: memcachedService, env: MANAGED },
  'locking off and a lifetime': {
    service: redisService,
    env: { PHP_SESSIONS_LOCKING: 'off', PHP_SESSIONS_LIFETIME: '7200' },
  },
  'Laravel 11': { service: redisService, files: locked('laravel/framework', 'v11.0.0') },
  'Laravel 11 behind Sentinels': {
    service: SENTINELS,
    files: locked('laravel/framework', 'v11.0.0'),
    place: MASTER,
  },
  'a later ini file of the app that bypasses the managed handler': {
    service: redisService,
    env: MANAGED,
    later: { auto_prepend_file: '/app/first.php' },
    finds: ['handler.bypassed'],
  },
  'a .user.ini that bypasses the managed handler': {
    service: redisService,
    env: MANAGED,
    files: { '.user.ini': 'auto_prepend_file = first.php' },
    finds: ['handler.bypassed'],
  },
  'a .user.ini that bypasses the managed handler, with Sentinels': {
    service: SENTINELS,
    files: { '.user.ini': 'auto_prepend_file = first.php' },
    place: MASTER,
    finds: ['handler.bypassed', 'redis.sentinel'],
  },
  'a PHP on which the managed handler cannot be installed': {
    service: redisService,
    env: MANAGED,
    php: { locksSettings: true },
    finds: ['handler.blocked'],
  },
  'a pool with a root directory of its own': {
    service: CLUSTER,
    pools: [{ pool: 'www', kind: '', name: 'chroot', value: '/srv', from: '/etc/www.conf:3' }],
    finds: ['handler.blocked', 'redis.cluster'],
  },
  'a client certificate that phpredis 5 cannot show': {
    service: redis({
      uri: 'rediss://:pw@redis.example:6380',
      client_certificate: PEM('CERTIFICATE'),
      client_key: PEM('PRIVATE KEY'),
    }),
    php: { phpredis: '5.3.7' },
    finds: ['redis.client-certificate'],
  },
  'credentials without a host': { service: redis({ password: 'pw' }) },
}

describe.each(Object.entries(HOMES))('in %s', (_home, home) => {
  test.each(Object.entries(WORLDS))('start, explain, doctor and watch say the same: %s', (_world, world) => {
    const host = home.host(world)
    const { said, place } = startIn(host, home)
    const { handler, place: _, ...explained } = askIn(home.host(world), 'explain')
    expect(explained).toEqual(said)
    expect(said.findings).toEqual(expect.arrayContaining([...(world.finds ?? [])]))
    if (world.place !== undefined) expect(place).toBe(world.place)

    const doctor = askIn(home.host(world), 'doctor')
    expect({ ...doctor, findings: [], works: true }).toEqual({
      settings: said.settings,
      handler,
      // With a finding the title of the check is the finding's.
      place: doctor.place === undefined ? undefined : place,
      findings: [],
      works: true,
    })
    // The others are those of doctor's own checks of PHP and of the app.
    const ofPlan = said.findings.filter((id) => !/^(php|framework|ini|exec)/.test(id))
    expect(doctor.findings).toEqual(ofPlan)

    const watched = home.watched?.(host)
    if (watched === undefined || !said.works) return
    const before = new Map(host.files)
    makeWatcher(host, watched)()
    expect(host.files).toEqual(before)
  })

  test('the limit that php-fpm is to have follows the time limit of its PHP', () => {
    const pools = [
      { pool: 'www', kind: '', name: 'listen', value: '9000', from: '/etc/php-fpm.d/www.conf:2' },
    ]
    const host = home.host({ service: redisService, pools, php: { maxExecutionSeconds: 120 } })
    main(host, ['explain', ...(host.env.VCAP_APPLICATION === undefined ? ['--app', '/app'] : [])])
    expect(host.output.out).toContain('request_terminate_timeout = 240s')
  })
})
