import type { Json, JsonObject, Sourced } from './binding.ts'
import type { Finding } from './finding.ts'
import { Secret } from './secret.ts'
import { editDistance, joinWords, nearest } from './text.ts'

export type OptionName = keyof typeof OPTIONS

/** How an option is written and what it means. `parse` gives undefined for text that is not a value of the option. */
export interface OptionKind<Value = unknown> {
  readonly expected: string
  readonly meaning: string
  /** Empty where the option has no value of its own: then it is undefined unless the user sets it. */
  readonly default: string
  /** Whether its value must not be in the options file, which is in the droplet. */
  readonly isSecret?: boolean
  parse(text: string): Value | undefined
}

/** The value of every option, by name. */
export type Options = { readonly [Name in OptionName]: OptionValue<(typeof OPTIONS)[Name]> }

type OptionValue<Kind extends OptionKind> =
  | Exclude<ReturnType<Kind['parse']>, undefined>
  | (Kind['default'] extends '' ? undefined : never)

/** Whose code keeps the sessions: the PHP extension's own session handler, or that of php-sessions. */
export type Handler = Exclude<Options['PHP_SESSIONS_HANDLER'], 'auto'>

const oneOf = <const Word extends string>(...allowed: readonly Word[]) => ({
  expected: joinWords(allowed, 'or'),
  parse: (text: string): Word | undefined => allowed.find((word) => word === text),
})

const SWITCH = {
  expected: 'on or off',
  parse: (text: string): boolean | undefined =>
    ['on', '1', 'true'].includes(text) ? true : ['off', '0', 'false'].includes(text) ? false : undefined,
}

const searchKey = (store: string, key: string) => ({
  expected: 'part of a service name',
  meaning: `the ${store} service whose name contains this text keeps the sessions`,
  default: key,
  parse: (text: string) => (text === '' ? undefined : text),
})

/** Every option, in the order of the documentation. The first two are php_buildpack's own, as are their defaults. */
export const OPTIONS = {
  REDIS_SESSION_STORE_SERVICE_NAME: searchKey('Redis', 'redis-sessions'),
  MEMCACHED_SESSION_STORE_SERVICE_NAME: searchKey('Memcached', 'memcached-sessions'),
  PHP_SESSIONS_SERVICE: {
    expected: 'the name of a bound service or variable, or none',
    meaning: 'this service keeps the sessions, whatever its name contains; none keeps them in local files',
    default: '',
    parse: (text: string) => (text === '' ? undefined : text),
  },
  PHP_SESSIONS_PREVIOUS: {
    expected: 'the name of a bound service or variable, files, or the path of a directory',
    meaning:
      "where the sessions were until now: the managed handler takes them from there and keeps them in both stores until you remove this, so that a change of the store logs nobody out; files are PHP's local files, a path is another directory with such files",
    default: '',
    parse: (text: string) => (text === '' ? undefined : text),
  },
  PHP_SESSIONS_TOPOLOGY: {
    ...oneOf('single', 'cluster', 'sentinel'),
    meaning: 'how the Redis servers of the binding work together, if its credentials do not say',
    default: '',
  },
  PHP_SESSIONS_LOCKING: {
    ...SWITCH,
    meaning:
      'on makes the requests of one visitor take turns; off lets parallel requests overwrite each other',
    default: 'on',
  },
  PHP_SESSIONS_MAX_WAIT: {
    expected: 'a whole number of seconds, at least 1',
    meaning:
      'how long a request waits for its turn, in Redis or with the managed handler; default: half of the time that a lock lives, at least 30',
    default: '',
    parse: (text: string) => (/^[1-9][0-9]{0,3}$/.test(text) ? Number(text) : undefined),
  },
  PHP_SESSIONS_MAX_WAITING: {
    expected: 'a whole number from 0 to 9999',
    meaning:
      'how many requests may wait for one session with the managed handler; the next gets status 429 at once, so that one visitor cannot hold every worker: set it below the number of workers of an instance',
    default: '20',
    parse: (text: string) => (/^[0-9]{1,4}$/.test(text) ? Number(text) : undefined),
  },
  PHP_SESSIONS_SLOW_WAIT: {
    expected: 'a number of seconds, such as 0.5; 0 means never',
    meaning:
      "with the managed handler, a request that waited longer than this for its session writes one line to PHP's log that says what held it",
    default: '1',
    parse: (text: string) => (/^[0-9]{1,4}(\.[0-9]{1,3})?$/.test(text) ? Number(text) : undefined),
  },
  PHP_SESSIONS_TIMING: {
    ...SWITCH,
    meaning:
      "on makes the managed handler send a Server-Timing header, which shows the cost of the session in a browser's developer tools",
    default: 'off',
  },
  PHP_SESSIONS_LIFETIME: {
    expected: 'a whole number of seconds',
    meaning: 'how long a session lives after its last use (session.gc_maxlifetime)',
    default: '',
    parse: (text: string) => (/^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : undefined),
  },
  PHP_SESSIONS_FIRST_LIFETIME: {
    expected: 'a whole number of seconds, or 0 for no such limit',
    meaning:
      "how long a new session lives until its visitor's second request, with the managed handler, so that bots do not fill the store; visitors must have read the first page by then",
    default: '0',
    parse: (text: string) => (/^[0-9]{1,9}$/.test(text) ? Number(text) : undefined),
  },
  PHP_SESSIONS_PREFIX: {
    expected: '1 to 100 letters, digits or any of . : _ -',
    meaning:
      "what the session keys begin with, for apps that share a store; default: the extension's own prefix",
    default: '',
    parse: (text: string) => (/^[A-Za-z0-9.:_-]{1,100}$/.test(text) ? text : undefined),
  },
  PHP_SESSIONS_SERIALIZER: {
    ...oneOf('php', 'php_binary', 'php_serialize', 'igbinary', 'msgpack'),
    meaning: 'how PHP serializes a session (session.serialize_handler); a change loses the existing sessions',
    default: '',
  },
  PHP_SESSIONS_HANDLER: {
    ...oneOf('auto', 'native', 'managed'),
    meaning:
      "native is the PHP extension's own session handler; managed, for Redis, Valkey and one Memcached, is that of php-sessions: it locks fairly, also on a cluster, follows Sentinels, and answers with status 503 while the store is down; auto is managed on a cluster and behind Sentinels, where the native handler has no locks or stays with the old master, and native elsewhere",
    default: 'auto',
  },
  PHP_SESSIONS_ON_STORE_ERROR: {
    ...oneOf('stop', 'empty'),
    meaning:
      'what the managed handler does while the store cannot be used: stop answers with status 503, empty continues with an empty session that is not kept; default: stop',
    default: '',
  },
  PHP_SESSIONS_ENCRYPTION_KEY: {
    expected: 'keys of 32 bytes as base64 or hex, or file:PATH, with commas between them',
    meaning:
      'the managed handler encrypts sessions with the first key, reads with all of them, and hides session ids in the names of keys',
    default: '',
    isSecret: true,
    parse: (text: string) => new Secret(text),
  },
  PHP_SESSIONS_COMPRESSION: {
    ...oneOf('zstd', 'lz4', 'gzip'),
    meaning:
      'how the managed handler compresses sessions of 128 bytes or more; it reads sessions compressed by any method',
    default: '',
  },
  PHP_SESSIONS_FRAMEWORK: {
    ...SWITCH,
    meaning:
      'on sets the variables of a framework that has session drivers of its own (Laravel), unless the app sets them; default: on with a buildpack, otherwise off',
    default: '',
  },
  PHP_SESSIONS_WATCH: {
    ...SWITCH,
    meaning:
      'on follows new credentials in files and a new Sentinel master without a restart: in a process beside the command of exec, in a sidecar on Cloud Foundry (set it before staging)',
    default: 'off',
  },
  PHP_SESSIONS_ON_ERROR: {
    ...oneOf('stop', 'files'),
    meaning:
      'what happens at startup when the bound store cannot be used: stop does not start the app, files keeps sessions in local files',
    default: 'stop',
  },
} as const satisfies Readonly<Record<string, OptionKind>>

const NAMES = Object.keys(OPTIONS) as OptionName[]

/** Where option values are written; a variable wins over the file. */
export interface OptionSources {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The object in the app's options file, which also holds options of other tools. */
  readonly file: Sourced<JsonObject>
}

/** Reads every option. An unknown or malformed option is an error, never a silent default. */
export function readOptions(sources: OptionSources): { options: Options; findings: Finding[] } {
  const findings = unknownOptions(sources)
  const read = NAMES.map((name) => {
    const kind: OptionKind = OPTIONS[name]
    const written = findWritten(name, sources)
    if (written === undefined) return [name, kind.default === '' ? undefined : kind.parse(kind.default)]
    if (kind.isSecret === true && sources.env[name] !== written.value)
      findings.push(exposedOption(name, written))
    if (kind.isSecret === true) return [name, kind.parse(String(written.value))]
    const value = typeof written.value === 'string' ? kind.parse(written.value) : undefined
    if (value === undefined) findings.push(malformedOption(name, kind, written))
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
  // In JSON, people write 3600 or true without quotes.
  const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
  return { value: text, from: `${file.from} ${name}` }
}

function exposedOption(name: OptionName, { from }: Sourced<Json>): Finding {
  return {
    id: 'option.exposed',
    level: 'error',
    title: `${name} is a secret, but it is in a file of the app, and so in its droplet or image`,
    from,
    fix: `make a new key, remove this one there, and set ${name} as a variable, as a file, or in the binding`,
  }
}

function malformedOption(name: OptionName, kind: OptionKind, { value, from }: Sourced<Json>): Finding {
  return {
    id: 'option.value',
    level: 'error',
    title: `expected ${name} to be ${kind.expected}, got \`${typeof value === 'string' ? value : JSON.stringify(value)}\``,
    from,
    fix: `set it to ${kind.expected}, or remove it`,
  }
}

/**
 * The variables that Kubernetes and Docker set for a Service or a link called `php-sessions…`:
 * `PHP_SESSIONS_SERVICE_HOST`, `PHP_SESSIONS_PORT_80_TCP_ADDR`, `PHP_SESSIONS_ENV_…`.
 *
 * https://kubernetes.io/docs/concepts/containers/container-environment/#cluster-information
 */
const OF_A_SERVICE =
  /_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$|_PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR|START|END))?)?$|_(NAME|ENV_\w+)$/

function unknownOptions({ env, file }: OptionSources): Finding[] {
  const written = [
    ...Object.keys(env).map((name) => ({ name, from: `environment variable ${name}` })),
    ...Object.keys(file.value).map((name) => ({ name, from: `${file.from} ${name}` })),
  ]
  return written
    .filter(({ name }) => name.startsWith(PREFIX) && !Object.hasOwn(OPTIONS, name))
    .filter(({ name }) => !OF_A_SERVICE.test(name))
    .map(({ name, from }) => (isMistyped(name) ? mistypedOption(name, from) : foreignOption(name, from)))
}

const PREFIX = 'PHP_SESSIONS_'

/**
 * Whether a name is close to that of an option: a few edits or a swap away, or a part of it (`PHP_SESSIONS_LOCKS`).
 */
function isMistyped(name: string): boolean {
  const own = nearest(name, NAMES)
  const length = own.length - PREFIX.length
  const edits = editDistance(name, own)
  const isSwapped = edits === 2 && sortLetters(name) === sortLetters(own)
  return isSwapped || edits <= Math.max(1, Math.floor(length / 3)) || NAMES.some(isCutFrom(name))
}

function sortLetters(text: string): string {
  return [...text].sort().join('')
}

function isCutFrom(name: string): (option: OptionName) => boolean {
  const stem = name.replace(/S$/, '')
  return (option) => stem.length >= PREFIX.length + 4 && option.startsWith(stem)
}

function mistypedOption(name: string, from: string): Finding {
  const own = NAMES.find(isCutFrom(name)) ?? nearest(name, NAMES)
  return {
    id: 'option.unknown',
    level: 'error',
    title: `there is no option ${name}`,
    from,
    fix: `did you mean ${own}? php-sessions help options lists all options`,
  }
}

/** Not an error: the app or its platform may use such a name, and php-sessions can run without knowing why. */
function foreignOption(name: string, from: string): Finding {
  return {
    id: 'option.foreign',
    level: 'warn',
    title: `${name} is not an option of php-sessions and has no effect`,
    from,
    fix: 'php-sessions help options lists all options; if it belongs to the app, give it a name that does not begin with PHP_SESSIONS_',
  }
}
