import type { Finding } from '../core/finding.ts'
import type { Options } from '../core/options.ts'
import type { Advice } from '../homes/home.ts'
import type { Host } from '../host/host.ts'
import type { Answers, ProbeName } from '../php/ask.ts'
import type { Plan } from '../plan/plan.ts'
import type { Platform } from '../platforms/platform.ts'

/** What the checks know, and whom they may ask. */
export interface Context {
  readonly host: Host
  /** With the master that the Sentinels named, if there are any. */
  readonly plan: Plan
  readonly options: Options
  /** Where the app's files are. */
  readonly appDirectory: string
  readonly advice: Advice
  readonly platform: Platform
  /**
   * What a probe in the target PHP answered; it runs once, whoever asks. What it did not come to say is undefined.
   * Throws `ProbeSilent` when it said nothing at all.
   */
  ask<Name extends ProbeName>(probe: Name): Partial<Answers[Name]>
}

/** What a check found out. */
export interface CheckOutcome {
  /** What is the case when all is well, in one line. */
  readonly title: string
  /** What is not as it should be. */
  readonly findings: readonly Finding[]
}

/** One step of the walk from a binding to a session. */
export interface Check {
  /** Stable and documented in docs/doctor.md. */
  readonly id: string
  /** What it asks, in one line, for `--list` and for checks that are not made. */
  readonly meaning: string
  /** The ids of the checks without whose success this one would only say the same in worse words. */
  readonly needs: readonly string[]
  /** Undefined where there is nothing to check: TLS where there is none. */
  run(context: Context): CheckOutcome | undefined
}

export type Status = 'ok' | 'warn' | 'error' | 'skipped'

/** How a check went. */
export interface CheckResult {
  readonly id: string
  readonly status: Status
  readonly title: string
  readonly milliseconds: number
  readonly findings: readonly Finding[]
}
