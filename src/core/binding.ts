import type { Finding } from './finding.ts'

/** Any value of JSON. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}

/** A service bound to the app, as its platform describes it. Every platform produces these. */
export interface Binding {
  /** The name that people use for it, e.g. `app-redis-sessions`. */
  readonly name: string
  /** The names that a search key may be in: a service bound under another name has two. */
  readonly names: readonly string[]
  /** The broker's description of the kind of service: label or type, provider, tags. */
  readonly kinds: readonly string[]
  readonly plan: string | undefined
  readonly credentials: JsonObject
  /** Where it was read, e.g. `VCAP_SERVICES`. All candidates for the sessions come from one source. */
  readonly source: string
  /** Where it was read, with its name, e.g. `VCAP_SERVICES app-redis-sessions`. */
  readonly from: string
  /**
   * Followed by a field's name, this is the field's provenance, e.g. `VCAP_SERVICES app-redis-sessions credentials.`.
   */
  readonly fieldPrefix: string
  /**
   * Whether being a Redis or Memcached is enough to be chosen, without a search key in the name: true where names are
   * not chosen with php-sessions in mind.
   */
  readonly isChosenByKind: boolean
  /** Why `isChosenByKind` is false, where that is not clear from its source. */
  readonly whyNotByKind?: string
  /** Why parts of it could not be read; these are errors if it is chosen. */
  readonly faults?: readonly Finding[]
}

/** A value and where it was read, e.g. `VCAP_SERVICES app-redis-sessions credentials.host`. */
export interface Sourced<T> {
  readonly value: T
  readonly from: string
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Parses JSON; undefined for other text.
 *
 * The engine's own message is dropped, because it quotes the text and so may show a password.
 */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}
