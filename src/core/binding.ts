/** Any value that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}

/** A service bound to the app, as its platform describes it: what every platform produces. */
export interface Binding {
  /** How people call it, e.g. `app-redis-sessions`. */
  readonly name: string
  /** The names it may be searched by: a service bound under a name of its own has two. */
  readonly names: readonly string[]
  /** What its broker says about its kind: label or type, provider, tags. */
  readonly kinds: readonly string[]
  readonly plan: string | undefined
  readonly credentials: JsonObject
  /** Where it was read, e.g. `VCAP_SERVICES`: bindings of one source are alternatives to each other. */
  readonly source: string
  /** Where it was read, with its name, e.g. `VCAP_SERVICES app-redis-sessions`. */
  readonly from: string
  /** What makes the name of a field its provenance, e.g. `VCAP_SERVICES app-redis-sessions credentials.`. */
  readonly fieldPrefix: string
  /** Whether it may be chosen for its kind alone: where names are not given by people who know of us. */
  readonly isChosenByKind: boolean
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
 * Parses JSON; undefined when it is none.
 *
 * The engine's own message is dropped: it quotes the text, which holds passwords.
 */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}
