import { describe, expect, test } from 'vitest'
import { memcachedService, redisService, type Service, vcapServices } from '../../lab/bindings.ts'
import { main } from '../../src/cli/main.ts'
import type { Program } from '../../src/host/host.ts'
import type { PoolLine } from '../../src/php/answers.ts'
import { makeWatcher } from '../../src/watch/watch.ts'
import { watchedByExec, watchedOnCloudFoundry } from '../../src/watch/watched.ts'
import { locked } from '../frameworks/apps.ts'
import { type FakeHost, fakeHost } from '../support/fake-host.ts'
import { fakePhp } from '../support/fake-php.ts'

/** What is bound and which PHP serves the app; the same in every home. */
interface World {
  readonly service?: Service
  readonly env?: Readonly<Record<string, string>>
  /** Below the app's directory. */
  readonly files?: Readonly<Record<string, string>>
  readonly php?: Partial<typeof PHP>
  /** An `auto_prepend_file` in an ini file that PHP reads after that of php-sessions. */
  readonly laterPrepend?: string
  /** Findings that must be among those said. */
  readonly finds?: readonly string[]
  /** Where PHP connects. */
  readonly place?: string
}

const PHP = {
  locksSettings: false,
  pools: [] as readonly PoolLine[],
  versionId: 80236,
  hangsInTls13: false,
  phpredis: '6.2.0',
  maxExecutionSeconds: 30,
}
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
    laterPrepend: '/app/first.php',
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
    php: { pools: [{ pool: 'www', kind: '', name: 'chroot', value: '/srv', from: '/etc/www.conf:3' }] },
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

/** Answers as the PHP of a world does when it is asked what a plan depends on, and to nothing else. */
function answerIn({ php, laterPrepend }: World, ini: string) {
  const facts = { ...PHP, ...php }
  return (command: Program) => {
    const hasInis = !command.args.includes('-n')
    const answer = {
      ...facts,
      maxExecutionSeconds: hasInis ? facts.maxExecutionSeconds : null,
      lines:
        laterPrepend === undefined || !hasInis
          ? []
          : [{ name: 'auto_prepend_file', value: laterPrepend, from: `${ini}:1` }],
      loaded: ['redis', 'memcached'],
      master: command.stdin.includes('sentinels') ? { host: '10.0.0.9', port: 6390 } : null,
    }
    return fakePhp({ 'look-around': answer })(command)
  }
}

const APIS: Readonly<Record<string, string>> = { 80030: '20200930', 80405: '20240924' }

/** Each home: its host, how an app starts in it, and what its watcher looks after. */
const HOMES = {
  'Cloud Foundry': {
    host: (world: World) => {
      const { versionId, maxExecutionSeconds } = { ...PHP, ...world.php }
      const php = '/deps/1/php'
      const extensions = `${php}/lib/php/extensions/no-debug-non-zts-${APIS[versionId] ?? '20220829'}`
      const later = world.laterPrepend === undefined ? '' : `auto_prepend_file = ${world.laterPrepend}\n`
      const env = { VCAP_APPLICATION: '{}', HOME: '/app', DEPS_DIR: '/deps', TMPDIR: '/tmp' }
      return hostOf(world, env, {
        [`${php}/etc/php.ini`]: `max_execution_time = ${maxExecutionSeconds}\n`,
        [`${php}/etc/php.ini.d/90-app.ini`]: later,
        [`${extensions}/redis.so`]: '',
        [`${extensions}/memcached.so`]: '',
      })
    },
    start: ['launch'],
    ini: '/deps/1/php/etc/php.ini.d/00-php-sessions.ini',
    watched: watchedOnCloudFoundry,
  },
  'an image of Cloud Native Buildpacks': {
    host: (world: World) => hostOf(world, { CNB_PLATFORM_API: '0.12', CNB_APP_DIR: '/app' }),
    start: ['cnb-launch'],
    ini: '/tmp/php-sessions-unique/00-php-sessions.ini',
    watched: undefined,
  },
  'a container': {
    // What exec wrote is looked at after its command has ended.
    host: (world: World) => ({
      ...hostOf(world, { KUBERNETES_SERVICE_HOST: '127.0.0.1' }),
      removeDirectory: () => undefined,
    }),
    start: ['exec', '--app', '/app', '--', 'php-fpm'],
    ini: '/tmp/php-sessions-unique/00-php-sessions.ini',
    watched: (host: FakeHost) => watchedByExec(host, '/app', '/tmp/php-sessions-unique'),
  },
  'a machine': {
    host: (world: World) => hostOf(world, {}),
    start: ['ini', '--app', '/app', '--output', '/etc/php/conf.d/00-php-sessions.ini'],
    ini: '/etc/php/conf.d/00-php-sessions.ini',
    watched: undefined,
  },
} as const

function hostOf(world: World, env: Record<string, string>, files: Record<string, string> = {}): FakeHost {
  const ofApp = Object.entries(world.files ?? {}).map(([path, text]) => [`/app/${path}`, text])
  const services = world.service === undefined ? {} : { VCAP_SERVICES: vcapServices(world.service) }
  const later =
    'KUBERNETES_SERVICE_HOST' in env || 'CNB_APP_DIR' in env
      ? '/app/conf/x.ini'
      : '/etc/php/conf.d/90-app.ini'
  return fakeHost(
    { ...env, ...services, ...world.env },
    { ...files, ...Object.fromEntries(ofApp) },
    answerIn(world, later),
  )
}

/** What a command says will be: its settings without what only it can know, its handler, its findings. */
interface Said {
  readonly settings: Readonly<Record<string, string>>
  readonly findings: readonly string[]
  readonly works: boolean
}

/** Where a sentence says that the sessions are, as `host:port, host:port`. */
const placeIn = (text: string) => /service \S+ (?:\(|at )(.*?)\)?, because/.exec(text)?.[1]

/** The save_path is secret, and `explain` cannot know it behind Sentinels. Paths differ by the home's directory. */
const comparable = (settings: readonly (readonly [name: string, value: string])[]) =>
  Object.fromEntries(
    settings
      .filter(([name]) => name !== 'session.save_path' && name !== 'extension' && !/sasl_password/.test(name))
      .map(([name, value]) => [name, value.replace(/^.*\/(?=php-sessions-)/, '')]),
  )

function startIn(host: FakeHost, { start, ini }: { start: readonly string[]; ini: string }) {
  const status = main(host, start)
  const text = host.files.get(ini) ?? ''
  const settings = [...text.matchAll(/^([a-z_.0-9]+) = "?(.*?)"?$/gm)].map(
    ([, name = '', value = '']) => [name, value] as const,
  )
  const findings = [...host.output.err.matchAll(/\(([a-z0-9]+\.[a-z0-9-]+)\)$/gm)].map(([, id = '']) => id)
  const said: Said = { settings: comparable(settings), findings: findings.sort(), works: status === 0 }
  return { said, place: placeIn(text) }
}

function askIn(host: FakeHost, command: 'explain' | 'doctor') {
  const args = command === 'explain' ? [command, '--json'] : [command, '--json', 'binding.plan']
  const appFlag = host.env.VCAP_APPLICATION === undefined ? ['--app', '/app'] : []
  const status = main(host, [...args, ...appFlag])
  const json = JSON.parse(host.output.out) as {
    handler: string | null
    directives: { name: string; value: unknown }[]
    findings: { id: string }[]
    checks?: { title: string }[]
  }
  const asText = (value: unknown) => (value === true ? 'On' : value === false ? 'Off' : String(value))
  return {
    handler: json.handler,
    settings: comparable(json.directives.map(({ name, value }) => [name, asText(value)] as const)),
    findings: json.findings.map(({ id }) => id).sort(),
    works: status === 0,
    place: placeIn(json.checks?.[0]?.title ?? ''),
  }
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
})
