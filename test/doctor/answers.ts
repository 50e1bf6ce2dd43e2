import { redisService, type Service, vcapServices } from '../../lab/bindings.ts'
import type { Finding } from '../../src/core/finding.ts'
import { makeMask } from '../../src/core/mask.ts'
import { DEFAULT_PHP } from '../../src/core/php.ts'
import type { Check, CheckResult, Context } from '../../src/doctor/check.ts'
import { checks } from '../../src/doctor/checks/index.ts'
import { runChecks } from '../../src/doctor/run.ts'
import { findHome } from '../../src/homes/find-home.ts'
import { findHanging } from '../../src/homes/hanging.ts'
import type { PoolLine, Sapi, Setting, SettingsAnswer } from '../../src/php/answers.ts'
import { type Answers, limitSecondsOf, type ProbeName, ProbeSilent } from '../../src/php/ask.ts'
import { secretsOf } from '../../src/php/questions.ts'
import { readInput } from '../../src/platforms/input.ts'
import { recognisePlatform } from '../../src/platforms/platform.ts'
import { fakeHost } from '../support/host/fake-host.ts'
import { planOn } from '../support/plan.ts'

type PhpAnswers = { readonly [Name in ProbeName]: Partial<Answers[Name]> }

/** A system as the doctor meets it: what is bound, and what PHP answers there. */
export interface Case {
  /** A Redis with a password unless said otherwise. */
  readonly services?: readonly Service[]
  readonly env?: Readonly<Record<string, string>>
  /** What differs from the answers where all is well. */
  readonly answers?: Partial<PhpAnswers>
  /** The same of the previous store. */
  readonly previous?: Partial<PhpAnswers>
  /** What keeps the managed handler from running. */
  readonly obstacles?: readonly Finding[]
  /** What keeps the doctor from seeing what the app sees. */
  readonly obstructions?: readonly Finding[]
  readonly pools?: readonly PoolLine[]
  /** Files of the machine, by their paths. */
  readonly files?: Readonly<Record<string, string>>
  /** The exit status of probes that answer nothing. */
  readonly silent?: Partial<Record<ProbeName, number | ProbeSilent>>
  /** The checks to make; all of them unless said otherwise. */
  readonly checks?: readonly Check[]
}

/** The environments by which platforms are recognised. */
export const CLOUD_FOUNDRY = { VCAP_APPLICATION: '{}' }
export const KUBERNETES = { KUBERNETES_SERVICE_HOST: '10.0.0.1' }
export const CNB = { CNB_PLATFORM_API: '0.12' }

export type Cases = Readonly<Record<string, Case>>

const SCAN = '/etc/php/8.4/conf.d'
export const OURS = `${SCAN}/00-php-sessions.ini`
export const APP_INI = `${SCAN}/99-app.ini`

/** A setting that is as php-sessions wrote it, or that php-sessions does not write. */
export function is(value: string | null, from: string | null = null): Setting {
  return { isExpected: true, value, from }
}

/** The setting that installs the managed handler. */
export const HANDLER_FILE = is('/run/php-sessions/php-sessions-handler.php', `${OURS}:20`)

/** A setting that has another value than php-sessions wrote. */
export function differs(value: string | null, from: string | null = null): Setting {
  return { isExpected: false, value, from }
}

const SETTINGS: Readonly<Record<string, Setting>> = {
  'session.save_handler': is('redis', `${OURS}:4`),
  'session.save_path': is('tcp://10.0.4.30:6379', `${OURS}:6`),
  'session.name': is('PHPSESSIONID', `${OURS}:2`),
  'session.gc_maxlifetime': is('1440'),
  'session.cookie_lifetime': is('0'),
  'session.auto_start': is('0'),
  display_errors: is('0', '/etc/php/8.4/php.ini:12'),
  'redis.session.locking_enabled': is('1', `${OURS}:8`),
  auto_prepend_file: is('0'),
  open_basedir: is('0'),
  'opcache.enable': is('1'),
  'session.use_strict_mode': is('1', `${OURS}:7`),
  'session.use_cookies': is('1'),
  'session.use_only_cookies': is('1'),
  'session.use_trans_sid': is('0'),
  'session.cookie_httponly': is('1', `${APP_INI}:21`),
  'session.cookie_secure': is('1', `${APP_INI}:22`),
  'session.cookie_samesite': is('Lax', `${APP_INI}:23`),
  'session.cookie_path': is('/'),
  'session.cookie_domain': is('0'),
  'session.sid_length': is('32'),
  'session.sid_bits_per_character': is('4'),
}

export const SAPI: Sapi = {
  loaded: '/etc/php/8.4/php.ini',
  path: '/etc/php/8.4',
  scan: [{ path: SCAN, isWritable: true }],
  files: ['/etc/php/8.4/php.ini', OURS, APP_INI],
  extensions: { redis: '6.2.0', memcached: '3.3.0', igbinary: '3.2.16', msgpack: null },
  settings: SETTINGS,
  ours: OURS,
  faults: [],
  exposed: [],
  unreadable: [],
}

/** A command line's PHP with these settings. */
export function phpWith(settings: Readonly<Record<string, Setting>>, more: Partial<Sapi> = {}) {
  const cli: Sapi = { ...SAPI, settings: { ...SETTINGS, ...settings }, ...more }
  return { version: '8.4.1', extensionDirectory: '/usr/lib/php', libraries: ['redis', 'memcached'], cli }
}

type Pools = NonNullable<SettingsAnswer['fpm']>['pools']

/** A php-fpm with these settings, beside a command line where all is well. */
export function fpmWith(
  settings: Readonly<Record<string, Setting>>,
  more: Partial<Sapi> = {},
  pools: Pools = [],
): Partial<SettingsAnswer> {
  const fpm = { ...phpWith(settings, more).cli, version: '8.4.1', pools }
  return { ...phpWith({}), fpm }
}

/** What PHP answers where all is well with one Redis. */
export const WELL: PhpAnswers = {
  settings: phpWith({}),
  extension: { said: '' },
  network: { servers: [{ state: 'speaks', address: '10.0.4.30:6379', milliseconds: 1 }] },
  redis: {
    login: true,
    error: null,
    role: 'master',
    master: null,
    info: {
      redis_version: '7.0.15',
      redis_mode: 'standalone',
      maxmemory: '104857600',
      maxmemory_policy: 'noeviction',
      used_memory: '5242880',
      evicted_keys: '0',
      connected_clients: '12',
      maxclients: '100',
    },
    clusterState: null,
    select: null,
    commands: [],
    sending: null,
  },
  memcached: {
    hasPlugin: true,
    servers: [1, 2].map(() => ({
      ...{ isStored: true, isRead: true, result: 'SUCCESS', itemSize: 1_048_576 },
      ...{ evictions: 0, version: '1.6.18', connections: 3, maxConnections: 1024, handler: null },
    })),
  },
  session: {
    exitStatus: 0,
    step: 'done',
    handler: 'redis',
    said: [],
    isLocked: true,
    isKept: true,
    second: {},
  },
  previous: { failure: null },
  // No check asks it: what it said is known before.
  'look-around': {},
}

/** What the doctor finds in such a system, and what it knew. */
export function examine(given: Case): {
  readonly context: Context
  readonly results: readonly CheckResult[]
} {
  const context = contextOf(given)
  return { context, results: runChecks(given.checks ?? checks, context, () => undefined) }
}

const MASTER = { host: '10.0.0.9', port: 6390 }

function contextOf({
  services = [redisService],
  env = {},
  answers,
  previous,
  silent = {},
  obstacles = [],
  obstructions = [],
  pools = [],
  files = {},
}: Case): Context {
  const host = fakeHost({ ...env, LANG: 'C.UTF-8', VCAP_SERVICES: vcapServices(...services) }, files)
  const all: PhpAnswers = { ...WELL, ...answers }
  const ask = <Name extends ProbeName>(name: Name): Partial<Answers[Name]> => {
    const status = silent[name]
    if (status instanceof ProbeSilent) throw status
    if (status !== undefined) throw new ProbeSilent(`php -r (${name}.php)`, status, limitSecondsOf(name))
    return all[name]
  }
  const { appDirectory, advice } = findHome(host, { app: '/app' }).home
  const plan = planOn(host, { master: MASTER, php: { ...DEFAULT_PHP, obstacles } })
  const context: Context = {
    host,
    plan,
    obstructions,
    hanging: findHanging({ plan, target: DEFAULT_PHP, facts: undefined, pools }),
    pools,
    kept: [],
    options: readInput(host, appDirectory).options,
    appDirectory,
    advice,
    platform: recognisePlatform(host),
    ask,
    ofPrevious: () => {
      const of = plan.planned?.previous
      if (of?.store === undefined) return undefined
      const planned = {
        ...of,
        handler: 'managed',
        servers: of.endpoint.servers,
        previous: undefined,
      } as const
      const there: PhpAnswers = { ...all, ...WELL, ...previous, settings: all.settings }
      const inStore = <Name extends ProbeName>(name: Name): Partial<Answers[Name]> => there[name]
      return { context: { ...context, plan: { ...plan, planned }, ask: inStore }, findings: [] }
    },
    quote: makeMask(secretsOf(plan)),
  }
  return context
}
