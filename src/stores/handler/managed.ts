import type { Sourced } from '../../core/binding.ts'
import { isEncrypting } from '../../core/encryption.ts'
import type { Endpoint } from '../../core/endpoint.ts'
import type { Finding } from '../../core/finding.ts'
import type { Directive } from '../../core/formats/ini.ts'
import { type PhpValue, renderPhpFile } from '../../core/formats/php-text.ts'
import type { Options } from '../../core/options.ts'
import type { Php } from '../../core/php.ts'
import { Secret } from '../../core/secret.ts'
import {
  type Configuration,
  MANAGED_FILES,
  type PlannedFile,
  type Previous,
  plainFile,
  type Surroundings,
  sharedFile,
} from '../store.ts'
import { joinHandler, type StorePart } from './join.ts'

/** What a store's managed handler is made of. */
export interface ManagedParts {
  readonly part: StorePart
  /** Why it keeps these sessions; continues the sentence "… because". */
  readonly why: string
  /** What it needs to know, under the names that its PHP reads. */
  readonly settings: PhpValue
}

/**
 * Adds the managed handler to the settings of the native handler, which keeps the sessions where it is bypassed.
 *
 * The limits of the native handler are not findings then. Strict mode can always be on: unlike the native handler, the
 * managed one distinguishes a store that does not answer from an unknown session id.
 */
export function addManaged(
  native: Configuration,
  { part, why, settings }: ManagedParts,
  { directory, php, previous, options }: Surroundings,
): Configuration {
  const install = plainFile(`${directory}/${MANAGED_FILES.handler}`, joinHandler(part, previous?.part))
  const connect = settingsFile(`${directory}/${MANAGED_FILES.store}`, settings)
  const moving = previous === undefined ? NOT_MOVING : move(directory, previous)
  return {
    handler: 'managed',
    directives: [
      ...native.directives,
      ...installDirectives(install.path, connect.path, why, php),
      ...moving.directives,
      ...(options.PHP_SESSIONS_TIMING ? [TIMING] : []),
    ],
    files: [...native.files, install, connect, ...moving.files],
    findings: [],
  }
}

/**
 * PHP's own handler, below the managed one, would keep sessions in clear where something bypasses that: it is given no server.
 */
export function withoutFallback(native: Configuration, { encryption }: Endpoint): Configuration {
  if (encryption === undefined) return native
  const directives = native.directives.map((directive) =>
    directive.name === 'session.save_path' ? nowhere(directive) : directive,
  )
  return { ...native, directives }
}

function nowhere({ name, value }: Directive): Directive {
  const path = String(value)
  const scheme = /^(seed\[]=|[a-z]+:\/\/|)/.exec(path)?.[0] ?? ''
  return {
    name,
    value: `${scheme}${NOWHERE}:1`,
    because: "no server: sessions are to be encrypted, and PHP's own handler would keep them in clear",
  }
}

const NOWHERE = 'sessions-are-encrypted.invalid'

/** Why the managed handler keeps sessions that are encrypted; continues the sentence "… because". */
export const WHY_ENCRYPTING = 'sessions are to be encrypted'

/** Durations in seconds that differ between the stores, under the names that the handler's PHP reads. */
interface Durations {
  readonly lockSeconds: number
  readonly waitSeconds: number
  readonly connectSeconds: number
  readonly readSeconds: number
}

/** What the handler of every store needs to know besides its server, under the names that its PHP reads. */
export function rulesForHandler(
  { encryption }: Endpoint,
  options: Options,
  { lockSeconds, waitSeconds, connectSeconds, readSeconds }: Durations,
) {
  const { PHP_SESSIONS_COMPRESSION: method } = options
  return {
    locking: options.PHP_SESSIONS_LOCKING,
    lockSeconds,
    waitSeconds,
    firstSeconds: options.PHP_SESSIONS_FIRST_LIFETIME,
    maxWaiting: options.PHP_SESSIONS_MAX_WAITING,
    slowWaitSeconds: options.PHP_SESSIONS_SLOW_WAIT,
    connectSeconds,
    readSeconds,
    onStoreError: options.PHP_SESSIONS_ON_STORE_ERROR ?? 'stop',
    ...(encryption === undefined ? {} : { keys: encryption.keys }),
    ...(method === undefined ? {} : { compression: method }),
  }
}

/** Says to people how sessions are encrypted and compressed. */
export function describeSealing(
  { encryption }: Endpoint,
  { PHP_SESSIONS_COMPRESSION: method }: Options,
): readonly string[] {
  const compressed =
    method === undefined ? [] : [`sessions of 128 bytes or more are compressed with ${method}`]
  if (encryption === undefined) return compressed
  const sealed = encryption.keys.filter((key) => key !== '').length
  const read = sealed === 1 ? 'one key' : `${sealed} keys`
  const isPlain = sealed < encryption.keys.length
  const written = isEncrypting(encryption)
    ? 'sessions are encrypted, and their ids are not in the store'
    : 'sessions are not encrypted yet: plain comes first in the list of keys'
  return [
    `${written}; it reads sessions of ${read}${isPlain ? ', and those that are not encrypted' : ''} (${encryption.from})`,
    ...compressed,
  ]
}

const NOT_MOVING = { directives: [], files: [] }

function move(directory: string, { settings, files, title }: Previous) {
  const connect = settingsFile(`${directory}/${MANAGED_FILES.previous}`, settings)
  return {
    directives: [
      {
        name: 'php_sessions.previous',
        value: connect.path,
        because: `PHP_SESSIONS_PREVIOUS: the handler takes the sessions of ${title} from there and keeps them in both stores`,
      },
    ],
    files: [...files, connect, sharedFile(`${directory}/${MANAGED_FILES.previousOutage}`)],
  }
}

function settingsFile(path: string, settings: PhpValue): PlannedFile {
  const comment =
    'Written by php-sessions at startup. The session handler beside it reads it again when it changes.'
  return plainFile(path, new Secret(renderPhpFile(comment, settings)))
}

const TIMING: Directive = {
  name: 'php_sessions.timing',
  value: true,
  because: 'PHP_SESSIONS_TIMING is on: responses say what the session has cost, in a Server-Timing header',
}

/** The values of `auto_prepend_file` that mean no file. */
const NO_FILE = ['', 'none']

function installDirectives(
  handlerPath: string,
  storePath: string,
  why: string,
  { prependFile }: Php,
): readonly Directive[] {
  const replaced: Directive[] =
    prependFile === undefined || NO_FILE.includes(prependFile.value)
      ? []
      : [
          {
            name: 'php_sessions.auto_prepend_file',
            value: prependFile.value,
            because: `the app's own auto_prepend_file (${prependFile.from}), which the handler's file includes`,
          },
        ]
  return [
    {
      name: 'auto_prepend_file',
      value: handlerPath,
      because: `${why}: this file installs the handler of php-sessions before the app runs`,
    },
    {
      name: 'php_sessions.store',
      value: storePath,
      because: 'the handler reads from this file how to log in, and reads it again when it changes',
    },
    {
      name: 'session.upload_progress.enabled',
      value: 0,
      because:
        'for a form that asks for upload progress, PHP would start a session with its own handler before the managed one is there; and while it is on, a PHP with the fix of CVE-2026-115560 refuses every other handler',
    },
    ...replaced,
  ]
}

/** Says that the managed handler does not run although the settings are its own; its save_path has no password. */
export function describeLateBypass(
  { value, from }: Sourced<string>,
  { password, encryption }: Pick<Endpoint, 'password' | 'encryption'>,
): Omit<Finding, 'id'> {
  const { fix } = describeBypass(value)
  const missing = encryption !== undefined ? 'server' : password !== undefined ? 'password' : undefined
  return {
    level: missing === undefined ? 'warn' : 'error',
    title: `the app sets auto_prepend_file to ${NO_FILE.includes(value) ? 'none' : value}, which bypasses the managed handler: PHP's own handler ${missing === undefined ? 'keeps the sessions' : `has no ${missing} here, and no session can start`}`,
    from,
    fix,
  }
}

/** Says that another `auto_prepend_file` takes the place of the managed handler's, and PHP's own has the whole app. */
export function describeBypass(value: string): Pick<Finding, 'title' | 'fix'> {
  const isFile = !NO_FILE.includes(value)
  const include = `if ($store = get_cfg_var('php_sessions.store')) require dirname($store) . '/${MANAGED_FILES.handler}';`
  return {
    title: `the app sets auto_prepend_file to ${isFile ? value : 'none'}, which bypasses the managed handler: PHP's own handler keeps the sessions of the whole app`,
    fix: isFile ? `remove that line, or begin ${value} with: ${include}` : 'remove that line',
  }
}
