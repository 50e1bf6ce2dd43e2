import { formatAddress } from '../core/address.ts'
import type { Binding, Sourced } from '../core/binding.ts'
import { type Endpoint, formatServers } from '../core/endpoint.ts'
import type { Finding } from '../core/finding.ts'
import type { Options } from '../core/options.ts'
import { longestWaitSeconds } from '../core/php.ts'
import type { PreviousPart } from '../stores/handler/join.ts'
import filesSession from '../stores/handler/moving/files-session.php'
import sessionFiles from '../stores/handler/moving/session-files.php'
import type { Previous, Store, Surroundings } from '../stores/store.ts'
import { chooseNamed } from './choice.ts'
import { readEncryption } from './encryption.ts'

/** A store that had the sessions before: a bound one, or files in a directory, which PHP's settings name if absent here. */
export type PreviousStore =
  | { readonly store: Store; readonly service: string; readonly endpoint: Endpoint }
  | { readonly store: undefined; readonly savePath: string | undefined }

/** What PHP_SESSIONS_PREVIOUS names, and its faults. */
export interface PreviousChoice {
  readonly previous: PreviousStore | undefined
  readonly findings: readonly Finding[]
}

const FROM = 'PHP_SESSIONS_PREVIOUS'
const FILES = 'files'

/** Finds the store that the user names as the previous one; `chosen` keeps the sessions from now on. */
export function choosePrevious(
  bindings: readonly Binding[],
  options: Options,
  stores: readonly Store[],
  chosen: Binding | undefined,
): PreviousChoice {
  const { PHP_SESSIONS_PREVIOUS: name } = options
  const none = (findings: readonly Finding[]): PreviousChoice => ({ previous: undefined, findings })
  if (name === undefined) return none([])
  if (chosen === undefined) return none([unused('no bound store keeps the sessions', 'bind the new store')])
  const place = choosePlace({ value: name, from: FROM }, bindings, options, stores)
  if (place.binding !== undefined && place.binding === chosen) return none([same(name)])
  return { previous: place.value, findings: place.findings }
}

/** Finds the place of sessions that the user names: a bound service, local files, or a directory with such files. */
export function choosePlace(
  name: Sourced<string>,
  bindings: readonly Binding[],
  options: Options,
  stores: readonly Store[],
) {
  const { value, from } = name
  const none = (findings: readonly Finding[], binding?: Binding) => ({ value: undefined, binding, findings })
  const isBound = bindings.some(({ names }) => names.includes(value))
  if (!isBound && (value === FILES || /^(\d+;)*\//.test(value))) {
    const files: PreviousStore = { store: undefined, savePath: value === FILES ? undefined : value }
    return { value: files, binding: undefined, findings: [] }
  }
  const { choice, findings } = chooseNamed(name, bindings, options, stores)
  if (choice === undefined) return none(findings)
  const { store, binding } = choice
  // That setting is about the store that keeps the sessions.
  const read = store.endpoint(binding, { ...options, PHP_SESSIONS_TOPOLOGY: undefined })
  const { value: endpoint } = read
  if (endpoint === undefined) return none(read.findings, binding)
  const reason = store.managed.whyNot(endpoint)
  if (reason !== undefined) return none([...read.findings, pool(value, from, reason)], binding)
  const { value: encryption, findings: keyFindings } = readEncryption(binding, options)
  const found: PreviousStore = {
    store,
    service: binding.name,
    endpoint: encryption === undefined ? endpoint : { ...endpoint, encryption },
  }
  // The list that both stores share is checked once.
  const own = options.PHP_SESSIONS_ENCRYPTION_KEY === undefined ? keyFindings : []
  return { value: found, binding, findings: [...read.findings, ...own] }
}

/** How the managed handler uses it. */
export function previousFor(
  previous: PreviousStore | undefined,
  surroundings: Surroundings,
): Previous | undefined {
  if (previous === undefined) return undefined
  const title = describePrevious(previous, surroundings.php.savePath)
  const part = previousPart(previous)
  if (previous.store !== undefined)
    return { part, ...previous.store.managed.previous(previous.endpoint, surroundings), title }
  return {
    part,
    settings: { ...filesSettings(previous.savePath, surroundings) },
    files: [],
    title,
  }
}

/** What the handler must know about sessions in local files. */
export interface FilesSettings {
  readonly savePath: string | null
  readonly waitSeconds?: number
}

/** The settings for files in this directory, or in the directory of PHP's settings. */
export function filesSettings(
  savePath: string | undefined,
  { options, php }: Surroundings,
): FilesSettings & { readonly waitSeconds: number } {
  return {
    savePath: savePath ?? php.savePath?.value ?? '',
    waitSeconds: longestWaitSeconds(php, options),
  }
}

/** The other parts of the managed handler. */
export function previousPart({ store }: PreviousStore): PreviousPart {
  return store?.managed.previousPart ?? FILES_PART
}

const FILES_PART: PreviousPart = { files: [sessionFiles, filesSession], open: 'openFiles' }

/** Names it for people. */
export function describePrevious(previous: PreviousStore, known?: Sourced<string>): string {
  if (previous.store !== undefined)
    return `${previous.store.title} service ${previous.service} (${formatServers(previous.endpoint)})`
  const path = previous.savePath ?? known?.value ?? ''
  return path === '' ? "local files in PHP's directory for temporary files" : `local files in ${path}`
}

/** The finding if the managed handler, which alone knows a previous store, does not keep the sessions. */
export function unused(why: string, fix: string): Finding {
  return {
    id: 'previous.unused',
    level: 'error',
    title: `PHP_SESSIONS_PREVIOUS would have no effect, and everybody would be logged out: ${why}`,
    from: FROM,
    fix: `${fix}; or remove PHP_SESSIONS_PREVIOUS`,
  }
}

/** Whether two bindings lead to the same keys on the same servers, by the same names. */
export function isSamePlace(one: Endpoint, other: Endpoint): boolean {
  const placeOf = ({ servers, sentinel, database }: Endpoint) =>
    JSON.stringify([
      servers.map(({ value }) => formatAddress(value).toLowerCase()).toSorted(),
      sentinel?.masterName.value,
      database?.value ?? 0,
    ])
  return placeOf(one) === placeOf(other)
}

/** The finding where the previous store, which `what` names, is the one that keeps the sessions. */
export function same(what: string): Finding {
  return {
    id: 'previous.same',
    level: 'warn',
    title: `PHP_SESSIONS_PREVIOUS has no effect: ${what} keeps the sessions now`,
    from: FROM,
    fix: 'bind the new store, and name it in PHP_SESSIONS_SERVICE if it is not chosen; or remove PHP_SESSIONS_PREVIOUS',
  }
}

function pool(name: string, from: string, reason: string): Finding {
  return {
    id: 'store.pool',
    level: 'error',
    title: `sessions cannot move from or to ${name}: ${reason}`,
    from,
    fix: `name another store in ${from}, or remove it`,
  }
}
