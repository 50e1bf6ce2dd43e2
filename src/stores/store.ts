import type { Address } from '../core/address.ts'
import type { Binding } from '../core/binding.ts'
import type { Endpoint } from '../core/endpoint.ts'
import type { Finding } from '../core/finding.ts'
import type { Directive } from '../core/ini.ts'
import type { Handler, Options } from '../core/options.ts'
import type { Php } from '../core/php.ts'
import type { Secret } from '../core/secret.ts'

/** The name of the persistent connections, so that the app's own are not taken for sessions. */
export const POOL_NAME = 'app_sessions'

/** What a store needs to know beside the endpoint. */
export interface Surroundings {
  readonly options: Options
  readonly php: Php
  /** Where the files of the plan are written, an absolute path. */
  readonly directory: string
  /** The master that the sentinels named; undefined where nobody has asked them, or there are none. */
  readonly master: Address | undefined
}

/** A file that PHP must find beside the ini. */
export interface PlannedFile {
  readonly path: string
  readonly text: string | Secret
  /** Whether the certificates that the system trusts come before the text. */
  readonly hasSystemCertificates: boolean
}

/** A file that is what its text is. */
export function plainFile(path: string, text: PlannedFile['text']): PlannedFile {
  return { path, text, hasSystemCertificates: false }
}

/** The managed handler's own code, what it reads to log in, and what its workers tell each other of the servers. */
export const MANAGED_FILES = {
  handler: 'php-sessions-handler.php',
  store: 'php-sessions-store.php',
  state: 'php-sessions-state.json',
} as const

/** What PHP must be told, apart from what all stores have in common. */
export interface Configuration {
  readonly handler: Handler
  readonly directives: readonly Directive[]
  readonly files: readonly PlannedFile[]
  readonly findings: readonly Finding[]
  /** Why strict mode must be off, as a directive's reason; absent where it can be on. */
  readonly whyNotStrict?: string
}

/** Every store by its name. What depends on the store is a table by this, so that the compiler names the places. */
export type StoreName = 'redis' | 'memcached'

/**
 * A server in which PHP can keep sessions.
 *
 * A store is a plain object in a file of its own; adding one means adding that file, a line in
 * `stores/index.ts`, and a row in test/support/stores.ts.
 */
export interface Store {
  /** As the extension is called, and as it is written in output. */
  readonly name: StoreName
  /** As its makers write it. */
  readonly title: string
  /** The option that holds the text which the names of such services contain. */
  readonly searchKey: 'REDIS_SESSION_STORE_SERVICE_NAME' | 'MEMCACHED_SESSION_STORE_SERVICE_NAME'
  /** The type of a binding that is there for sessions, as Paketo's buildpacks call it. */
  readonly sessionType: string
  /** Words of which one is part of the label, a tag or a field of such a service, in lower case. */
  readonly kinds: readonly string[]
  /** The ports that such servers usually have. */
  readonly ports: readonly number[]
  /** The PHP extension of the handler, after those that it may be built to require. */
  readonly extensions: readonly string[]
  /** Where the binding says the server is; no value when a finding is an error. */
  endpoint(
    binding: Binding,
    options: Options,
  ): { readonly value: Endpoint | undefined; readonly findings: readonly Finding[] }
  configure(endpoint: Endpoint, surroundings: Surroundings): Configuration
}
