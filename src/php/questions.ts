import type { Options } from '../core/options.ts'
import { Secret } from '../core/secret.ts'
import type { Plan, PlannedStore } from '../plan/plan.ts'
import { handlerScripts } from '../stores/redis/handler/index.ts'
import type { PoolLine } from './answers.ts'
import type { Question } from './ask.ts'
import { countingLines } from './layers.ts'
import type { Web } from './web/web.ts'

/** Settings that matter besides those of the plan. */
const INTERESTING = [
  ...['session.save_handler', 'session.save_path', 'session.name', 'session.gc_maxlifetime'],
  ...['session.cookie_lifetime', 'session.auto_start', 'display_errors'],
  ...['redis.session.locking_enabled', 'memcached.sess_locking', 'auto_prepend_file', 'open_basedir'],
  'opcache.enable',
  ...['session.use_strict_mode', 'session.use_cookies', 'session.use_only_cookies', 'session.use_trans_sid'],
  ...['session.cookie_httponly', 'session.cookie_secure', 'session.cookie_samesite'],
  ...['session.cookie_path', 'session.cookie_domain'],
  ...['session.sid_length', 'session.sid_bits_per_character'],
]

/**
 * Asks which settings of a plan PHP uses. `fpm` is the command of php-fpm, undefined to look for one; `pools` is what its
 * pools set.
 */
export function settingsQuestion(
  plan: Plan,
  fpm: readonly string[] | undefined,
  pools: readonly PoolLine[],
): Question {
  const expected = Object.fromEntries(
    plan.directives
      // php-fpm does not show settings that no extension has registered.
      .filter(({ name }) => !name.startsWith('php_sessions.'))
      .map(({ name, value }): [string, Question] => [
        name,
        typeof value === 'boolean' ? (value ? '1' : '0') : typeof value === 'number' ? String(value) : value,
      ]),
  )
  const secret = plan.directives.filter(({ value }) => value instanceof Secret)
  return {
    fpm: fpm ?? null,
    pools: countingLines(pools, [...INTERESTING, ...Object.keys(expected)]).map((line) => ({
      ...line,
      value: new Secret(line.value),
    })),
    expected: { ...Object.fromEntries(INTERESTING.map((name) => [name, null])), ...expected },
    secretNames: secret.map(({ name }) => name),
    secrets: secretsOf(plan),
  }
}

/** Asks whether the servers can be reached. */
export function networkQuestion(planned: PlannedStore): Question {
  const { endpoint, store } = planned
  return {
    servers: planned.servers.map(({ value: { host, port } }) => ({ host, port })),
    tls: endpoint.tls.value,
    kind: store.name,
    ca: endpoint.ca?.value ?? null,
    clientCertificate: endpoint.clientCertificate?.value ?? null,
  }
}

/**
 * Asks what the login of the binding may do in the store, and how the store is set up. `isAway` says by number which
 * servers need not be tried.
 */
export function storeQuestion(
  planned: PlannedStore,
  options: Options,
  isAway: (server: number) => boolean = () => false,
): Question {
  const { endpoint, store } = planned
  const isCluster = endpoint.topology.value === 'cluster'
  const isManaged = planned.handler === 'managed'
  return {
    ...(networkQuestion(planned) as { readonly [name: string]: Question }),
    servers: planned.servers.map(({ value: { host, port } }, i) => ({ host, port, isAway: isAway(i) })),
    scripts: handlerScripts,
    user: endpoint.user?.value ?? null,
    password: endpoint.password?.value ?? null,
    database: endpoint.database?.value ?? null,
    prefix: store.keyPrefix(endpoint, options),
    locking: options.PHP_SESSIONS_LOCKING && (isManaged || !isCluster),
    isCluster,
    isManaged,
    isBinary: true,
  }
}

/**
 * Asks to keep a session with PHP's settings and those of a php-fpm pool, which win; with `looks`, also what the
 * store then contains.
 */
export function sessionQuestion(web: Web, prependFile: string, looks: boolean): Question {
  const overridden = web.pools.filter(
    ({ name, value }) => /^(session|redis|memcached)\./.test(name) && value !== null,
  )
  return {
    settings: Object.fromEntries(overridden.map(({ name, value }) => [name, value])),
    // On the command line PHP prepends no file to this code, as it does to a page.
    prependFile,
    looks,
  }
}

/** Every secret of a plan that a message of PHP could contain. */
export function secretsOf({ planned, directives }: Plan): readonly Secret[] {
  const endpoints = [planned, planned?.previous?.store === undefined ? undefined : planned.previous]
  const passwords = endpoints
    .flatMap((of) => [of?.endpoint.password, of?.endpoint.sentinel?.password])
    .flatMap((password) => (password === undefined ? [] : [password.value]))
  const keys = endpoints.flatMap((of) => of?.endpoint.encryption?.keys ?? []).filter((key) => key !== '')
  return [
    ...passwords,
    ...keys,
    ...directives.flatMap(({ value }) => (value instanceof Secret ? [value] : [])),
  ]
}
