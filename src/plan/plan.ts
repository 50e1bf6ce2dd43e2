import type { Address } from '../core/address.ts'
import type { Sourced } from '../core/binding.ts'
import type { Endpoint } from '../core/endpoint.ts'
import { type Finding, hasError } from '../core/finding.ts'
import type { Directive } from '../core/formats/ini.ts'
import type { Input } from '../core/input.ts'
import type { Handler, Options } from '../core/options.ts'
import { stores } from '../stores/index.ts'
import type { PlannedFile, Store, Surroundings } from '../stores/store.ts'
import { chooseStore } from './choice.ts'
import { encryptionFindings, readEncryption } from './encryption.ts'
import { handlerFindings } from './handler.ts'
import { choosePrevious, isSamePlace, type PreviousStore, previousFor, same, unused } from './previous.ts'

/** A store that was chosen, and where its binding says it is. */
export interface ChosenStore {
  readonly store: Store
  readonly service: string
  readonly endpoint: Endpoint
}

/** The decisions that do not need PHP. */
export interface Choice {
  /** Absent where sessions stay in local files, by choice or because of an error: `findings` says which. */
  readonly chosen: ChosenStore | undefined
  /** The store that had the sessions before, where the user names one. */
  readonly previous?: PreviousStore | undefined
  /** Why this store or why files; continues the sentence "… because". */
  readonly because: string
  readonly options: Options
  readonly findings: readonly Finding[]
}

/** A store with everything that is needed to use it. */
export interface PlannedStore extends ChosenStore {
  readonly handler: Handler
  /**
   * Where PHP connects: the servers of the binding, or the master that the Sentinels named. Empty where the Sentinels
   * have not been asked.
   */
  readonly servers: readonly Sourced<Address>[]
  /** The store that had the sessions before, and its name for people; undefined where sessions do not move. */
  readonly previous?: (PreviousStore & { readonly title: string }) | undefined
}

/** The value that every command starts from: the settings, the reasons, and the faults. */
export interface Plan {
  /** Absent where sessions stay in local files, by choice or because of an error: `findings` says which. */
  readonly planned: PlannedStore | undefined
  /** Why this store or why files; continues the sentence "… because". */
  readonly because: string
  /** Without session.save_path where the Sentinels have not been asked for the master. */
  readonly directives: readonly Directive[]
  /** In the order in which PHP must load them. */
  readonly extensions: readonly string[]
  /** What the directives refer to. */
  readonly files: readonly PlannedFile[]
  readonly findings: readonly Finding[]
}

/** Chooses the store and reads where it is: the first half of a plan, which does not need PHP. */
export function chooseEndpoint({ bindings, options, nothingBound, findings }: Input): Choice {
  const files = (because: string, all: readonly Finding[]): Choice => ({
    chosen: undefined,
    because,
    options,
    findings: all,
  })
  if (hasError(findings)) return files('the configuration cannot be read', findings)
  const { choice, because, findings: choiceFindings } = chooseStore(bindings, options, stores)
  const { previous, findings: previousFindings } = choosePrevious(bindings, options, stores, choice?.binding)
  const found = [
    ...findings,
    ...choiceFindings,
    // An error has said why nothing is chosen.
    ...(hasError(choiceFindings) ? [] : previousFindings),
  ]
  // Without a setting and without a candidate, the places that were searched say more than the names of services.
  const isNothing = options.PHP_SESSIONS_SERVICE === undefined && choiceFindings.length === 0
  if (hasError(previousFindings)) return files(UNUSABLE_PREVIOUS, found)
  if (choice === undefined) return files((isNothing ? nothingBound : undefined) ?? because, found)
  const { store, binding } = choice
  const { value: endpoint, findings: endpointFindings } = store.endpoint(binding, options)
  const { value: encryption, findings: keyFindings } = readEncryption(binding, options)
  const read = [...found, ...endpointFindings, ...keyFindings]
  if (endpoint === undefined) return files(unusable(binding.name), read)
  if (hasError(keyFindings)) return files('the keys for encrypting sessions cannot be used', read)
  // Its lock would be taken twice, and each request would wait for itself.
  const isBoth = previous?.store !== undefined && isSamePlace(previous.endpoint, endpoint)
  if (isBoth)
    return {
      chosen: { store, service: binding.name, endpoint: withKeys(endpoint, encryption) },
      because,
      options,
      findings: [...read, same(`${previous.service} is ${binding.name}, which`)],
    }
  // One list of keys is for both stores, wherever it is written.
  const keys = encryption ?? (previous?.store === undefined ? undefined : previous.endpoint.encryption)
  return {
    chosen: { store, service: binding.name, endpoint: withKeys(endpoint, keys) },
    previous:
      previous?.store === undefined
        ? previous
        : { ...previous, endpoint: withKeys(previous.endpoint, previous.endpoint.encryption ?? keys) },
    because,
    options,
    findings: read,
  }
}

function withKeys(endpoint: Endpoint, encryption: Endpoint['encryption']): Endpoint {
  return encryption === undefined ? endpoint : { ...endpoint, encryption }
}

/**
 * Says what PHP must be told; the second half of a plan.
 *
 * No partial values: with an error there are no directives at all.
 */
export function configure(
  { chosen, previous, because, options, findings }: Choice,
  surroundings: Omit<Surroundings, 'options' | 'previous'>,
): Plan {
  if (chosen === undefined) return planFiles(because, findings)
  const { store, service, endpoint } = chosen
  const moved = previousFor(previous, { ...surroundings, options })
  const configuration = store.configure(endpoint, { ...surroundings, options, previous: moved })
  const { handler } = configuration
  const isUnused = previous !== undefined && handler !== 'managed'
  const whyHandler = handlerFindings(options, store, endpoint, surroundings.php, handler)
  const all = [
    ...findings,
    ...configuration.findings,
    ...whyHandler,
    ...encryptionFindings(endpoint, options, surroundings.php, handler, whyHandler),
    ...(isUnused
      ? [unused("PHP's own handler keeps the sessions", 'let the managed handler keep them')]
      : []),
  ]
  if (isUnused) return planFiles(UNUSABLE_PREVIOUS, all)
  if (hasError(all)) return planFiles(unusable(service), all)
  return {
    planned: {
      ...chosen,
      handler,
      servers: serversOf(endpoint, surroundings.master),
      previous: previous && { ...previous, title: moved?.title ?? '' },
    },
    because,
    directives: [
      SESSION_NAME,
      ...configuration.directives,
      ...commonDirectives(options, configuration.whyNotStrict),
    ],
    extensions: store.extensions,
    files: configuration.files,
    findings: all,
  }
}

/** The plan that leaves sessions in local files. */
export function planFiles(because: string, findings: readonly Finding[]): Plan {
  return { planned: undefined, because, directives: [], extensions: [], files: [], findings }
}

const UNUSABLE_PREVIOUS = 'PHP_SESSIONS_PREVIOUS cannot be used'

function unusable(service: string): string {
  return `the credentials of ${service} cannot be used`
}

/** Where PHP connects: the servers of the binding, or the master that its Sentinels named. */
export function serversOf(
  { sentinel, servers }: Endpoint,
  master: Address | undefined,
): readonly Sourced<Address>[] {
  if (sentinel === undefined) return servers
  if (master === undefined) return []
  return [{ value: master, from: `the Sentinels' answer for ${sentinel.masterName.value}` }]
}

const SESSION_NAME: Directive = {
  name: 'session.name',
  value: 'PHPSESSIONID',
  because:
    "Cloud Foundry's router ties a visitor with a JSESSIONID cookie to one instance; here any instance can serve any visitor",
}

function commonDirectives(options: Options, whyNotStrict: string | undefined): readonly Directive[] {
  const { PHP_SESSIONS_LIFETIME: lifetime, PHP_SESSIONS_SERIALIZER: serializer } = options
  return [
    {
      name: 'session.use_strict_mode',
      value: whyNotStrict === undefined,
      because: whyNotStrict ?? 'PHP accepts only session ids that it made, so nobody can plant one',
    },
    ...(lifetime === undefined
      ? []
      : [{ name: 'session.gc_maxlifetime', value: lifetime, because: 'PHP_SESSIONS_LIFETIME, in seconds' }]),
    ...(serializer === undefined
      ? []
      : [{ name: 'session.serialize_handler', value: serializer, because: 'PHP_SESSIONS_SERIALIZER' }]),
  ]
}
