import type { Binding } from '../core/binding.ts'
import type { Endpoint } from '../core/endpoint.ts'
import type { Finding } from '../core/finding.ts'
import type { Directive } from '../core/ini.ts'
import type { Options } from '../core/options.ts'
import type { Php } from '../core/php.ts'

/** The name of the persistent connections, so that the app's own are not taken for sessions. */
export const POOL_NAME = 'app_sessions'

/**
 * A server in which PHP can keep sessions.
 *
 * A store is a plain object in a file of its own; adding one means adding that file, a line in
 * `stores/index.ts`, and a row in test/support/stores.ts.
 */
export interface Store {
  /** As written in `session.save_handler` and in output. */
  readonly name: 'redis' | 'memcached'
  /** As its makers write it. */
  readonly title: string
  /** The option that holds the text which the names of such services contain. */
  readonly searchKey: 'REDIS_SESSION_STORE_SERVICE_NAME' | 'MEMCACHED_SESSION_STORE_SERVICE_NAME'
  /** Words of which one is part of the label or of a tag of such a service, in lower case. */
  readonly kinds: readonly string[]
  /** The PHP extension of the handler, after those that it may be built to require. */
  readonly extensions: readonly string[]
  /** Where the binding says the server is; no value when a finding is an error. */
  endpoint(binding: Binding): { readonly value: Endpoint | undefined; readonly findings: readonly Finding[] }
  /** What PHP must be told, apart from what all stores have in common. */
  directives(endpoint: Endpoint, options: Options, php: Php): readonly Directive[]
}
