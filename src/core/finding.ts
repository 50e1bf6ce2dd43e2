/** `error` fails the command, `warn` does not. */
export type Level = 'error' | 'warn'

/** Something that php-sessions noticed, for people and for scripts. */
export interface Finding {
  /** Stable and documented, e.g. `binding.shape`. Never reused for something else. */
  readonly id: string
  readonly level: Level
  /** What is wrong, in one line, with the name of the thing and both values. No full stop, never a secret. */
  readonly title: string
  /** Where the value came from, by its real name, e.g. `VCAP_SERVICES app-redis-sessions credentials.port`. */
  readonly from: string
  /** What to do, in one line, as a command where there is one. */
  readonly fix: string
  /** Set if it is about the store that had the sessions before, not about the one that keeps them. */
  readonly store?: 'previous'
}

/** Whether a command must fail. */
export function hasError(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.level === 'error')
}
