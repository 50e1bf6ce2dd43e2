import type { Sourced } from '../../core/binding.ts'
import type { Endpoint } from '../../core/endpoint.ts'
import type { Finding } from '../../core/finding.ts'
import type { Directive } from '../../core/ini.ts'
import type { Options } from '../../core/options.ts'
import type { Php } from '../../core/php.ts'
import { type PhpValue, renderPhpFile } from '../../core/php-text.ts'
import { Secret } from '../../core/secret.ts'
import { type Configuration, MANAGED_FILES, plainFile, type Surroundings } from '../store.ts'
import handler from './handler/handler.php'
import { CONNECT_SECONDS, lockSeconds, READ_SECONDS } from './timeouts.ts'
import { certificateFiles } from './tls.ts'

/**
 * Puts the managed handler on top of the native one, which goes on where ours is bypassed.
 *
 * What the native one cannot do is no finding then, and strict mode can be on everywhere: ours tells a store that is
 * away from an id that is unknown.
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
  const store = storeOf(endpoint, surroundings, { ca: ca?.path ?? null, client: client?.path ?? null })
  const install = plainFile(`${directory}/${MANAGED_FILES.handler}`, handler)
  const connect = plainFile(
    `${directory}/${MANAGED_FILES.store}`,
    new Secret(renderPhpFile(STORE_COMMENT, store)),
  )
  return {
    handler: 'managed',
    directives: [...native.directives, ...installDirectives(install.path, connect.path, php)],
    files: [
      ...native.files.filter(({ path }) => !certificates.some((certificate) => certificate.path === path)),
      ...certificates,
      install,
      connect,
      // Not secret, but nobody else may say where the password is sent.
      ...(endpoint.topology.value === 'single'
        ? []
        : [plainFile(`${directory}/${MANAGED_FILES.state}`, new Secret(''))]),
    ],
    findings: [],
  }
}

const NO_CERTIFICATES = { ca: undefined, client: undefined }
const STORE_COMMENT =
  'Written by php-sessions at the start; the session handler beside it reads it again when it changes.'

/** PHP's words for no `auto_prepend_file`. */
const NO_FILE = ['', 'none']

function installDirectives(
  handlerPath: string,
  storePath: string,
  { prependFile }: Php,
): readonly Directive[] {
  const replaced: Directive[] =
    prependFile === undefined || NO_FILE.includes(prependFile.value)
      ? []
      : [
          {
            name: 'php_sessions.auto_prepend_file',
            value: prependFile.value,
            because: `the app's own (${prependFile.from}), which that file includes`,
          },
        ]
  return [
    {
      name: 'auto_prepend_file',
      value: handlerPath,
      because:
        'PHP_SESSIONS_HANDLER is managed: this file installs the handler of php-sessions before the app begins; where another file takes its place, the handler above goes on',
    },
    {
      name: 'php_sessions.store',
      value: storePath,
      because: 'where that handler reads how to log in, and again when it changes',
    },
    ...replaced,
  ]
}

/** What the handler is told, by the names that src/php/handler.php reads. */
function storeOf(
  endpoint: Endpoint,
  { options, php }: Surroundings,
  certificates: { readonly ca: string | null; readonly client: string | null },
): PhpValue {
  const { topology, servers, tls, database, sentinel } = endpoint
  const { life, wait } = lockSeconds(php)
  return {
    topology: topology.value,
    servers: servers.map(({ value: { host, port } }) => ({ host, port })),
    tls: tls.value,
    ...loginOf(endpoint),
    database: topology.value === 'cluster' ? 0 : (database?.value ?? 0),
    ca: certificates.ca,
    clientCertificate: certificates.client,
    sentinel:
      sentinel === undefined
        ? null
        : { masterName: sentinel.masterName.value, tls: sentinel.tls.value, ...loginOf(sentinel) },
    prefix: options.PHP_SESSIONS_PREFIX ?? null,
    locking: options.PHP_SESSIONS_LOCKING,
    lockSeconds: life,
    waitSeconds: wait,
    connectSeconds: CONNECT_SECONDS,
    readSeconds: READ_SECONDS,
    onStoreError: options.PHP_SESSIONS_ON_STORE_ERROR ?? 'stop',
  }
}

/** `default` is what Redis calls a login without a user; servers before 6 know no user at all. */
function loginOf({ user, password }: Pick<Endpoint, 'user' | 'password'>) {
  const hasUser = password !== undefined && user?.value !== 'default'
  return { user: hasUser ? (user?.value ?? null) : null, password: password?.value ?? null }
}

/** What is other than with the native handler, for people who are to choose; each begins in lower case. */
export function describeManaged(
  { topology }: Endpoint,
  { PHP_SESSIONS_LOCKING: isLocking }: Options,
): readonly string[] {
  const turns =
    topology.value === 'cluster'
      ? 'requests of one visitor take turns, where the native handler has no locks on a cluster'
      : 'requests of one visitor take turns in the order in which they came, woken by each other, without polling'
  return [
    ...(isLocking ? [turns] : []),
    ...(topology.value === 'sentinel' ? ['a failover is followed at run time, without a restart'] : []),
    'a store that cannot be used is a status 503 and one line in the log, without the password, unless PHP_SESSIONS_ON_STORE_ERROR is empty; the native handler goes on with an empty session',
  ]
}

/** Says that another `auto_prepend_file` takes the place of ours. */
export function describeBypass({ value, from }: Sourced<string>): Omit<Finding, 'id'> {
  const what = NO_FILE.includes(value) ? 'sets auto_prepend_file to none' : `has ${value} run instead`
  return {
    level: 'warn',
    title: `the managed handler is bypassed, and PHP's own keeps the sessions: the app ${what}`,
    from,
    fix: `remove that line, or begin its file with: require dirname(get_cfg_var('php_sessions.store')) . '/${MANAGED_FILES.handler}';`,
  }
}
