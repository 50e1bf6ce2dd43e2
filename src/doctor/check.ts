import type { Finding } from '../core/finding.ts'
import type { Options } from '../core/options.ts'
import type { Advice } from '../homes/home.ts'
import type { Kept } from '../homes/kept.ts'
import type { Host } from '../host/host.ts'
import type { PoolLine } from '../php/answers.ts'
import type { Answers, ProbeName } from '../php/ask.ts'
import type { Plan } from '../plan/plan.ts'
import type { Platform } from '../platforms/platform.ts'

/** What the checks know, and how they ask PHP. */
export interface Context {
  readonly host: Host
  /** With the master that the Sentinels named, where the binding has Sentinels. */
  readonly plan: Plan
  /** What keeps the doctor from seeing the app's settings. */
  readonly obstructions: readonly Finding[]
  /** What the pools of php-fpm set. */
  readonly pools: readonly PoolLine[]
  /** Where the pages of the app really keep their sessions. */
  readonly kept: readonly Kept[]
  /** The pools that never end a request. */
  readonly hanging: readonly Finding[]
  readonly options: Options
  /** Where the app's files are. */
  readonly appDirectory: string
  readonly advice: Advice
  readonly platform: Platform
  /**
   * What a probe in the target PHP answered; each probe runs once. Properties that it did not reach before it was
   * stopped are undefined. Throws `ProbeSilent` when it answered nothing at all.
   */
  ask<Name extends ProbeName>(probe: Name): Partial<Answers[Name]>
  /**
   * The same for the server that had the sessions before, and why no Sentinel names its master; undefined where no
   * server had them.
   */
  ofPrevious(): { readonly context: Context; readonly findings: readonly Finding[] } | undefined
  /** Removes secrets from text of PHP or a server, for people. Answers themselves are unchanged. */
  quote(said: string): string
}

/** What a check found out. */
export interface CheckOutcome {
  /** The good result, in one line. */
  readonly title: string
  /** What is wrong; empty if all is well. */
  readonly findings: readonly Finding[]
}

/** One step on the way from a binding to a session. */
export interface Check {
  /** Stable and documented in docs/messages.md. */
  readonly id: string
  /** The question it answers, in one line, for `--list` and for checks that are skipped. */
  readonly meaning: string
  /** The ids of the checks that must pass first: after their failure this one would only report its consequences. */
  readonly needs: readonly string[]
  /** Undefined where the check does not apply: TLS where neither side uses it. */
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
