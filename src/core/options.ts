import type { Json, JsonObject, Sourced } from './binding.ts'
import type { Finding } from './finding.ts'
import { nearest } from './text.ts'

/** What a user may decide. Everything has a default that serves; `undefined` leaves PHP's own. */
export interface Options {
  /** The text that a Redis service's name must contain; the name is php_buildpack's, as is the default. */
  readonly REDIS_SESSION_STORE_SERVICE_NAME: string
  readonly MEMCACHED_SESSION_STORE_SERVICE_NAME: string
  /** The exact name of the service to use, whatever else is bound; `none` for local files. */
  readonly PHP_SESSIONS_SERVICE: string | undefined
  /** How the servers of a Redis binding belong together, where its credentials do not tell. */
  readonly PHP_SESSIONS_TOPOLOGY: 'single' | 'cluster' | 'sentinel' | undefined
  readonly PHP_SESSIONS_LOCKING: boolean
  readonly PHP_SESSIONS_LIFETIME: number | undefined
  readonly PHP_SESSIONS_PREFIX: string | undefined
  readonly PHP_SESSIONS_SERIALIZER: string | undefined
  /** The extension's own session handler, or the one that php-sessions brings along. */
  readonly PHP_SESSIONS_HANDLER: Handler
  /** What the managed handler does when its store cannot be used; undefined to stop, as nobody has asked. */
  readonly PHP_SESSIONS_ON_STORE_ERROR: 'stop' | 'empty' | undefined
  /** Whether a start sets the variables of a framework that does not use PHP's session handler. */
  readonly PHP_SESSIONS_FRAMEWORK: boolean | undefined
  /** Whether `watch` runs beside the app. */
  readonly PHP_SESSIONS_WATCH: boolean
  /** What a start does when the bound store cannot be used. */
  readonly PHP_SESSIONS_ON_ERROR: 'stop' | 'files'
}

/** Whose code keeps the sessions: the extension's, or ours over the extension's client. */
export type Handler = 'native' | 'managed'

export type OptionName = keyof Options

/** How an option is written, what it means and how its text becomes a value; undefined when it does not. */
export interface OptionKind {
  readonly expected: string
  readonly meaning: string
  readonly default: string
  parse(text: string): Options[OptionName] | undefined
}

const searchKey = (store: string, key: string): OptionKind => ({
  expected: 'a part of a service name',
  meaning: `the ${store} service whose name contains this text keeps the sessions`,
  default: key,
  parse: (text) => (text === '' ? undefined : text),
})

const SWITCH: Pick<OptionKind, 'expected' | 'parse'> = {
  expected: 'on or off',
  parse: (text) => ({ on: true, '1': true, true: true, off: false, '0': false, false: false })[text],
}

/** Every option, in the order of the documentation. */
export const OPTIONS: Readonly<Record<OptionName, OptionKind>> = {
  REDIS_SESSION_STORE_SERVICE_NAME: searchKey('Redis', 'redis-sessions'),
  MEMCACHED_SESSION_STORE_SERVICE_NAME: searchKey('Memcached', 'memcached-sessions'),
  PHP_SESSIONS_SERVICE: {
    expected: 'the name of a bound service or variable, or none',
    meaning: 'this service keeps the sessions, whatever its name contains; none keeps them in local files',
    default: '',
    parse: (text) => (text === '' ? undefined : text),
  },
  PHP_SESSIONS_TOPOLOGY: {
    expected: 'single, cluster or sentinel',
    meaning: 'how the Redis servers of the binding belong together, where its credentials do not tell',
    default: '',
    parse: (text) => (text === 'single' || text === 'cluster' || text === 'sentinel' ? text : undefined),
  },
  PHP_SESSIONS_LOCKING: {
    ...SWITCH,
    meaning: 'requests of one visitor take turns; off lets parallel ones overwrite each other',
    default: 'on',
  },
  PHP_SESSIONS_LIFETIME: {
    expected: 'a whole number of seconds',
    meaning: 'how long a session lives after its last use (session.gc_maxlifetime)',
    default: '',
    parse: (text) => (/^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : undefined),
  },
  PHP_SESSIONS_PREFIX: {
    expected: '1 to 100 letters, digits or any of . : _ -',
    meaning: "what the keys begin with, for apps that share a store; the extension's own unless set",
    default: '',
    parse: (text) => (/^[A-Za-z0-9.:_-]{1,100}$/.test(text) ? text : undefined),
  },
  PHP_SESSIONS_SERIALIZER: {
    expected: 'php, php_binary, php_serialize, igbinary or msgpack',
    meaning: 'how PHP writes a session (session.serialize_handler); changing it loses the sessions there are',
    default: '',
    parse: (text) => (/^(php|php_binary|php_serialize|igbinary|msgpack)$/.test(text) ? text : undefined),
  },
  PHP_SESSIONS_HANDLER: {
    expected: 'native or managed',
    meaning:
      "native is the PHP extension's own session handler; managed, for Redis and Valkey, is that of php-sessions: a fair lock, also on a cluster, Sentinels followed, status 503 while the store is down",
    default: 'native',
    parse: (text) => (text === 'native' || text === 'managed' ? text : undefined),
  },
  PHP_SESSIONS_ON_STORE_ERROR: {
    expected: 'stop or empty',
    meaning:
      'what the managed handler does while the store cannot be used: stop answers with status 503, empty goes on with an empty session that is not kept; default: stop',
    default: '',
    parse: (text) => (text === 'stop' || text === 'empty' ? text : undefined),
  },
  PHP_SESSIONS_FRAMEWORK: {
    ...SWITCH,
    meaning:
      'on sets the variables of a framework with session drivers of its own (Laravel), where the app has not; default: on with a buildpack, else off',
    default: '',
  },
  PHP_SESSIONS_WATCH: {
    ...SWITCH,
    meaning:
      'on follows new credentials in files and a new Sentinel master without a restart: in a process beside the command of exec, in a sidecar on Cloud Foundry (set it before staging)',
    default: 'off',
  },
  PHP_SESSIONS_ON_ERROR: {
    expected: 'stop or files',
    meaning: 'what a start does when the bound store cannot be used: not start, or keep sessions in files',
    default: 'stop',
    parse: (text) => (text === 'stop' || text === 'files' ? text : undefined),
  },
}

const NAMES = Object.keys(OPTIONS) as OptionName[]

/** Where option values are written; a variable wins over the file. */
export interface OptionSources {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The object in the app's options file, which also holds options of other tools. */
  readonly file: Sourced<JsonObject>
}

/** Reads every option. One that is unknown or ill-formed is an error, never a silent default. */
export function readOptions(sources: OptionSources): { options: Options; findings: Finding[] } {
  const findings = unknownOptions(sources)
  const read = NAMES.map((name) => {
    const kind = OPTIONS[name]
    const written = findWritten(name, sources)
    if (written === undefined) return [name, kind.parse(kind.default)]
    const value = typeof written.value === 'string' ? kind.parse(written.value) : undefined
    if (value === undefined) findings.push(illFormed(name, kind, written))
    return [name, value]
  })
  return { options: Object.fromEntries(read) as unknown as Options, findings }
}

function findWritten(name: OptionName, { env, file }: OptionSources): Sourced<Json> | undefined {
  const variable = env[name]
  // An empty variable is how people unset one (`cf set-env app NAME ""`).
  if (variable !== undefined && variable !== '')
    return { value: variable, from: `environment variable ${name}` }
  const value = file.value[name]
  if (value === undefined) return undefined
  // A bare number or true in JSON is as clear as its text.
  const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
  return { value: text, from: `${file.from} ${name}` }
}

function illFormed(name: OptionName, kind: OptionKind, { value, from }: Sourced<Json>): Finding {
  return {
    id: 'option.value',
    level: 'error',
    title: `expected ${name} to be ${kind.expected}, got \`${typeof value === 'string' ? value : JSON.stringify(value)}\``,
    from,
    fix: `write ${kind.expected}, or remove it`,
  }
}

function unknownOptions({ env, file }: OptionSources): Finding[] {
  const written = [
    ...Object.keys(env).map((name) => ({ name, from: `environment variable ${name}` })),
    ...Object.keys(file.value).map((name) => ({ name, from: `${file.from} ${name}` })),
  ]
  return written
    .filter(({ name }) => name.startsWith('PHP_SESSIONS_') && !(name in OPTIONS))
    .map(({ name, from }) => ({
      id: 'option.unknown',
      level: 'error',
      title: `there is no option ${name}`,
      from,
      fix: `did you mean ${nearest(name, NAMES)}? All are listed by php-sessions help options`,
    }))
}
