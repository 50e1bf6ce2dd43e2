import type { Address } from '../core/address.ts'
import type { Binding } from '../core/binding.ts'
import type { Endpoint, StoreName } from '../core/endpoint.ts'
import type { Finding } from '../core/finding.ts'
import type { Directive } from '../core/formats/ini.ts'
import type { PhpValue } from '../core/formats/php-text.ts'
import type { Handler, OptionName, Options } from '../core/options.ts'
import type { Php } from '../core/php.ts'
import { Secret } from '../core/secret.ts'
import type { PreviousPart } from './handler/join.ts'

/** The name of the persistent connections, so that sessions do not use the app's own. */
export const POOL_NAME = 'app_sessions'

/** What a store needs to know besides the endpoint. */
export interface Surroundings {
  readonly options: Options
  readonly php: Php
  /** Where the files of the plan are written, an absolute path. */
  readonly directory: string
  /** The master that the Sentinels named; undefined if there are no Sentinels, or they have not been asked. */
  readonly master: Address | undefined
  /** The store that had the sessions before; undefined where none is to be asked. */
  readonly previous?: Previous | undefined
}

/** How the managed handler takes sessions from the store that had them before. */
export interface Previous {
  readonly part: PreviousPart
  /** What it needs to know of that store, under the names that its PHP reads. */
  readonly settings: PhpValue
  readonly files: readonly PlannedFile[]
  /** Names the store, for people. */
  readonly title: string
}

/** A file that php-sessions writes beside the ini, for PHP to read. */
export interface PlannedFile {
  readonly path: string
  readonly text: string | Secret
  /** Whether the certificates that the system trusts are written before the text. */
  readonly hasSystemCertificates: boolean
  /** Whether the workers write it, too: such a file is never run. */
  readonly isShared: boolean
}

/** A file that holds just its text. */
export function plainFile(path: string, text: PlannedFile['text']): PlannedFile {
  return { path, text, hasSystemCertificates: false, isShared: false }
}

/** A file that workers write, too; empty at first. */
export function sharedFile(path: string): PlannedFile {
  return { ...plainFile(path, new Secret('')), isShared: true }
}

/**
 * The code of the managed handler, how it logs in, and what its workers tell each other about the servers; the same of the
 * previous store.
 */
export const MANAGED_FILES = {
  handler: 'php-sessions-handler.php',
  store: 'php-sessions-store.php',
  state: 'php-sessions-state.json',
  previous: 'php-sessions-previous.php',
  previousState: 'php-sessions-previous-state.json',
  previousOutage: 'php-sessions-previous-outage',
} as const

/** How PHP must be configured for a store, besides what all stores have in common. */
export interface Configuration {
  readonly handler: Handler
  readonly directives: readonly Directive[]
  readonly files: readonly PlannedFile[]
  readonly findings: readonly Finding[]
  /** Why strict mode must be off, as a directive's reason; absent if it can be on. */
  readonly whyNotStrict?: string
}

/** The handler of php-sessions for a store. */
export interface ManagedHandler {
  /** Makes its PHP code: a start that does not need it does not join its files. */
  text(previous?: PreviousPart): string
  /** Its part where the endpoint is a store that had the sessions before. */
  readonly previousPart: PreviousPart
  /** The values of `session.save_handler` that it replaces. */
  readonly saveHandlers: readonly string[]
  /** Why it cannot keep sessions there, as the beginning of a title; undefined if it can. */
  whyNot(endpoint: Endpoint): string | undefined
  /** Why it keeps these sessions; continues the sentence "… because". */
  why(endpoint: Endpoint, options: Options): string
  /** What differs from the native handler, for users who have to choose; each line starts in lower case. */
  describe(endpoint: Endpoint, options: Options): readonly string[]
  /** The endpoint as a store that had the sessions before. */
  previous(endpoint: Endpoint, surroundings: Surroundings): Pick<Previous, 'settings' | 'files'>
}

/** The managed handler's own client, for programs that work on the sessions in a store. */
export interface StoreClient {
  /** Its PHP files, besides those of all stores. */
  readonly files: readonly string[]
  /** What it needs to know, under the names that its PHP reads. Certificates are texts, not yet files. */
  settings(endpoint: Endpoint, surroundings: Surroundings): PhpValue
}

/**
 * A server in which PHP can keep sessions.
 *
 * A store is a plain object in a folder of its own. To add one, start with its name in `StoreName`: the compiler then
 * lists the tables that need a row for it.
 */
export interface Store {
  readonly name: StoreName
  /** As its makers spell it. */
  readonly title: string
  /** The option with the text that the names of such services contain. */
  readonly searchKey: Extract<OptionName, `${string}_SESSION_STORE_SERVICE_NAME`>
  /** The type of a binding for sessions, as Paketo's buildpacks call it. */
  readonly sessionType: string
  /** Lower-case words; one of them is part of the label, a tag, the URI's scheme or a field of such a service. */
  readonly kinds: readonly string[]
  /** The usual ports of such servers. */
  readonly ports: readonly number[]
  /** The PHP extension, after those that it may have been built to require. */
  readonly extensions: readonly string[]
  /** Reads where the server is; the value is undefined if a finding is an error. */
  endpoint(
    binding: Binding,
    options: Options,
  ): { readonly value: Endpoint | undefined; readonly findings: readonly Finding[] }
  /** What the names of the keys begin with. */
  keyPrefix(endpoint: Endpoint, options: Options): string
  readonly managed: ManagedHandler
  readonly client: StoreClient
  /** Whether the managed handler is to keep the sessions, where it can run. */
  wantsManaged(endpoint: Endpoint, options: Options): boolean
  configure(endpoint: Endpoint, surroundings: Surroundings): Configuration
}
