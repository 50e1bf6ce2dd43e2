import type { Endpoint } from '../../core/endpoint.ts'
import type { Options } from '../../core/options.ts'
import type { Secret } from '../../core/secret.ts'
import {
  addManaged,
  describeSealing,
  rulesForHandler,
  WHY_ENCRYPTING,
  withoutFallback,
} from '../handler/managed.ts'
import {
  type Configuration,
  MANAGED_FILES,
  type Previous,
  type StoreClient,
  type Surroundings,
  sharedFile,
} from '../store.ts'
import { redisClientFiles, redisPart } from './handler/index.ts'
import { redisKeyPrefix } from './keys.ts'
import type { RedisLogin } from './login.ts'
import { CONNECT_SECONDS, READ_SECONDS, redisLockSeconds } from './timeouts.ts'
import { certificateFiles } from './tls.ts'

/** Adds the managed handler; certificates that the native handler does not need, as those of Sentinels, come with it. */
export function manageRedis(
  endpoint: Endpoint,
  surroundings: Surroundings,
  native: Configuration,
): Configuration {
  const { settings, certificates, state } = settingsWith(endpoint, surroundings, '', MANAGED_FILES.state)
  const others = native.files.filter(({ path }) => !certificates.some((file) => file.path === path))
  const parts = { part: redisPart, why: whyManaged(endpoint, surroundings.options), settings }
  const managed = addManaged(
    withoutFallback({ ...native, files: [...others, ...certificates] }, endpoint),
    parts,
    surroundings,
  )
  return { ...managed, files: [...managed.files, ...state] }
}

/** The endpoint as a store that had the sessions before. */
export function previousRedis(
  endpoint: Endpoint,
  surroundings: Surroundings,
): Pick<Previous, 'settings' | 'files'> {
  const { settings, certificates, state } = settingsWith(
    endpoint,
    surroundings,
    'previous-',
    MANAGED_FILES.previousState,
  )
  return { settings, files: [...certificates, ...state] }
}

/** What the handler needs to know, with its files; those of two stores have different names. */
function settingsWith(endpoint: Endpoint, surroundings: Surroundings, before: string, stateName: string) {
  const { directory } = surroundings
  const usesTls = endpoint.tls.value || endpoint.sentinel?.tls.value === true
  const { ca, client } = usesTls ? certificateFiles(endpoint, directory, before) : NO_CERTIFICATES
  const files = { ca: ca?.path ?? null, client: client?.path ?? null }
  // Not secret, but only those who know the password may decide where it is sent.
  const state = endpoint.topology.value === 'single' ? undefined : sharedFile(`${directory}/${stateName}`)
  return {
    settings: storeForHandler(endpoint, surroundings, files, state?.path ?? null),
    certificates: [ca, client].filter((file) => file !== undefined),
    state: state === undefined ? [] : [state],
  }
}

const NO_CERTIFICATES = { ca: undefined, client: undefined }

/** Why the managed handler keeps these sessions; continues the sentence "… because". */
export function whyManaged(
  { topology, encryption }: Endpoint,
  { PHP_SESSIONS_HANDLER: wanted, PHP_SESSIONS_PREVIOUS: previous }: Options,
): string {
  if (wanted === 'managed') return 'PHP_SESSIONS_HANDLER is managed'
  if (encryption !== undefined) return WHY_ENCRYPTING
  if (previous !== undefined) return 'PHP_SESSIONS_PREVIOUS is set'
  return topology.value === 'cluster'
    ? "a Redis Cluster is bound, where PHP's own handler has no locks"
    : "Sentinels are bound, and PHP's own handler would stay with the old master after a failover"
}

/** For commands; only workers share what they have found out. */
export const redisClient: StoreClient = {
  files: redisClientFiles,
  settings: (endpoint, surroundings) => {
    const certificates = {
      ca: endpoint.ca?.value ?? null,
      client: endpoint.clientCertificate?.value ?? null,
    }
    return storeForHandler(endpoint, surroundings, certificates, '')
  },
}

/** What the handler needs to know, under the names that its PHP reads. */
function storeForHandler(
  endpoint: Endpoint,
  { options, php }: Surroundings,
  certificates: { readonly ca: string | null; readonly client: string | Secret | null },
  stateFile: string | null,
) {
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
    stateFile,
    ...rulesForHandler(endpoint, options, {
      lockSeconds: life,
      waitSeconds: wait,
      connectSeconds: CONNECT_SECONDS,
      readSeconds: READ_SECONDS,
    }),
  }
}

function loginForHandler({ user, password }: RedisLogin) {
  if (password === undefined) return { user: null, password: null }
  return { user: user?.value ?? null, password: password.value }
}

/** What differs from the native handler, for users who have to choose; each line starts in lower case. */
export function describeManaged(endpoint: Endpoint, options: Options): readonly string[] {
  const { topology } = endpoint
  const { PHP_SESSIONS_LOCKING: isLocking } = options
  const turns =
    topology.value === 'cluster'
      ? 'requests of one visitor take turns; the native handler has no locks on a cluster'
      : 'requests of one visitor take turns in the order of their arrival; each wakes the next, without polling'
  return [
    ...(isLocking ? [turns] : []),
    ...(topology.value === 'sentinel' ? ['it follows a failover while the app runs, without a restart'] : []),
    'while the store cannot be used, a request ends with status 503 and one line in the log, without the password, unless PHP_SESSIONS_ON_STORE_ERROR=empty; the native handler continues with an empty session',
    ...describeSealing(endpoint, options),
  ]
}
