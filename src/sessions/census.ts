import type { SessionPlace } from './local-files.ts'

/** A number of sessions, by the seconds since their last request. */
export interface Bar {
  /** Null for the longest ones. */
  readonly idleSeconds: number | null
  readonly sessions: number
}

/** What `sessions` prints as JSON: docs/sessions.schema.json. */
export interface Census {
  readonly version: 1
  /** When it was counted, in seconds since 1970. */
  readonly time: number
  readonly store: SessionPlace
  readonly lifetimeSeconds: number
  readonly sessions: number
  readonly bytes: number
  /** Those with a request in the last minutes. */
  readonly active: readonly { readonly minutes: number; readonly sessions: number }[]
  readonly histogram: readonly Bar[]
  /** Those that never expire. */
  readonly eternal: number
  /** Those without a request for longer than a session lives that the store has not removed. */
  readonly overdue: number
  /** Those that live no longer than PHP_SESSIONS_FIRST_LIFETIME; null if that is off. */
  readonly firstPage: number | null
  /** The size that most of them have. */
  readonly mostFrequent: { readonly bytes: number; readonly sessions: number } | null
  /** The largest ones; an id only with --ids. */
  readonly largest: readonly { readonly bytes: number; readonly id: string | null }[]
  /** What has changed since an earlier count. */
  readonly since: { readonly seconds: number; readonly sessions: number; readonly bytes: number } | null
}
