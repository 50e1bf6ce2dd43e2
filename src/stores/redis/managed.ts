import type { Sourced } from '../../core/binding.ts'
import type { Endpoint } from '../../core/endpoint.ts'
import type { Finding } from '../../core/finding.ts'
import type { Directive } from '../../core/ini.ts'
import type { Options } from '../../core/options.ts'
import type { Php } from '../../core/php.ts'
import { type PhpValue, renderPhpFile } from '../../core/php-text.ts'
import { Secret } from '../../core/secret.ts'
import { type Configuration, MANAGED_FILES, plainFile, type Surroundings } from '../store.ts'
import { handlerText } from './handler/index.ts'
import { redisKeyPrefix } from './keys.ts'
import type { RedisLogin } from './login.ts'
import { CONNECT_SECONDS, READ_SECONDS, redisLockSeconds } from './timeouts.ts'
import { certificateFiles } from './tls.ts'

/**
 * Adds the managed handler to the settings of the native handler, which keeps the sessions where it is bypassed.
 *
 * The limits of the native handler are not findings then. Strict mode can always be on: unlike the native handler, the
 * managed one distinguishes a store that does not answer from an unknown session id.
 */
export function manageRedis(
  endpoint: Endpoint,
  surroundings: Surroundings,
  native: Configuration,
): Configuration {
  const { directory, php } = surroundings
  const usesTls = endpoint.tls.value || endpoint.sentinel?.tls.value === true
  const { ca, client } = usesTls ? certificateFiles(endpoint, directory) : NO_CERTIFICATES
  const certificates = [ca, client].filter((file) => file !== undefined)
  const store = storeForHandler(endpoint, surroundings, {
    ca: ca?.path ?? null,
    client: client?.path ?? null,
  })
  const install = plainFile(`${directory}/${MANAGED_FILES.handler}`, handlerText)
  const connect = plainFile(
    `${directory}/${MANAGED_FILES.store}`,
    new Secret(renderPhpFile(STORE_COMMENT, store)),
  )
  return {
    handler: 'managed',
    directives: [
      ...native.directives,
      ...installDirectives(install.path, connect.path, whyManaged(endpoint, surroundings.options), php),
    ],
    files: [
      ...native.files.filter(({ path }) => !certificates.some((certificate) => certificate.path === path)),
      ...certificates,
      install,
      connect,
      // Not secret, but only those who know the password may decide where it is sent.
      ...(endpoint.topology.value === 'single'
        ? []
        : [{ ...plainFile(`${directory}/${MANAGED_FILES.state}`, new Secret('')), isShared: true }]),
    ],
    findings: [],
  }
}

const NO_CERTIFICATES = { ca: undefined, client: undefined }
const STORE_COMMENT =
  'Written by php-sessions at startup. The session handler beside it reads it again when it changes.'

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
        'PHP would start a session with its own handler, before the managed one is there, for every form that asks for the progress of an upload; and a PHP with the fix of CVE-2026-115560 refuses every other handler while it is on',
    },
    ...replaced,
  ]
}

/** Why the managed handler keeps these sessions; continues the sentence "… because". */
export function whyManaged({ topology }: Endpoint, { PHP_SESSIONS_HANDLER: wanted }: Options): string {
  if (wanted === 'managed') return 'PHP_SESSIONS_HANDLER is managed'
  return topology.value === 'cluster'
    ? "a Redis Cluster is bound, where PHP's own handler has no locks"
    : "Sentinels are bound, and PHP's own handler would stay with the old master after a failover"
}

/** What the handler needs to know, under the names that its PHP reads. */
function storeForHandler(
  endpoint: Endpoint,
  { options, php, directory }: Surroundings,
  certificates: { readonly ca: string | null; readonly client: string | null },
): PhpValue {
  const { topology, servers, tls, database, sentinel } = endpoint
  const { life, wait } = redisLockSeconds(options, php)
  return {
    topology: topology.value,
    servers: servers.map(({ value: { host, port } }) => ({ host, port })),
    tls: tls.value,
    ...loginForHandler(endpoint),
    database: topology.value === 'cluster' ? 0 : (database?.value ?? 0),
    ca: certificates.ca,
    clientCertificate: certificates.client,
    sentinel:
      sentinel === undefined
        ? null
        : { masterName: sentinel.masterName.value, tls: sentinel.tls.value, ...loginForHandler(sentinel) },
    prefix: redisKeyPrefix(endpoint, options),
    stateFile: topology.value === 'single' ? null : `${directory}/${MANAGED_FILES.state}`,
    locking: options.PHP_SESSIONS_LOCKING,
    lockSeconds: life,
    waitSeconds: wait,
    maxWaiting: options.PHP_SESSIONS_MAX_WAITING,
    connectSeconds: CONNECT_SECONDS,
    readSeconds: READ_SECONDS,
    onStoreError: options.PHP_SESSIONS_ON_STORE_ERROR ?? 'stop',
  }
}

function loginForHandler({ user, password }: RedisLogin) {
  if (password === undefined) return { user: null, password: null }
  return { user: user?.value ?? null, password: password.value }
}

/** What differs from the native handler, for users who have to choose; each line starts in lower case. */
export function describeManaged(
  { topology }: Endpoint,
  { PHP_SESSIONS_LOCKING: isLocking }: Options,
): readonly string[] {
  const turns =
    topology.value === 'cluster'
      ? 'requests of one visitor take turns; the native handler has no locks on a cluster'
      : 'requests of one visitor take turns in the order of their arrival; each wakes the next, without polling'
  return [
    ...(isLocking ? [turns] : []),
    ...(topology.value === 'sentinel' ? ['it follows a failover while the app runs, without a restart'] : []),
    'while the store cannot be used, a request ends with status 503 and one line in the log, without the password, unless PHP_SESSIONS_ON_STORE_ERROR=empty; the native handler continues with an empty session',
  ]
}

/** Says that the managed handler does not run although the settings are its own; its save_path has no password. */
export function describeLateBypass(
  { value, from }: Sourced<string>,
  { password }: Pick<Endpoint, 'password'>,
): Omit<Finding, 'id'> {
  const { fix } = describeBypass(value)
  return {
    level: password === undefined ? 'warn' : 'error',
    title: `the app sets auto_prepend_file to ${NO_FILE.includes(value) ? 'none' : value}, which bypasses the managed handler: PHP's own handler ${password === undefined ? 'keeps the sessions' : 'has no password here, and no session can start'}`,
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
