import type { Finding } from '../core/finding.ts'
import type { Options } from '../core/options.ts'
import type { FrameworkPlan } from '../homes/framework.ts'
import type { Kept } from '../homes/kept.ts'
import type { SettingsAnswer } from '../php/answers.ts'
import type { Plan } from '../plan/plan.ts'
import type { BindingVerdict } from '../plan/verdict.ts'
import type { Platform } from '../platforms/platform.ts'
import type { SessionCookie } from './cookie.ts'
import type { Override } from './overrides.ts'

/** What was decided and why, found out without using the network. */
export interface Explanation {
  readonly platform: Platform
  readonly plan: Plan
  readonly options: Options
  readonly verdicts: readonly BindingVerdict[]
  /** What the PHP that serves the app reports of itself; undefined where no PHP answers. */
  readonly settings: Partial<SettingsAnswer> | undefined
  readonly overrides: readonly Override[]
  /** Undefined where no PHP answers, or PHP sends none. */
  readonly cookie: SessionCookie | undefined
  readonly framework: FrameworkPlan
  readonly kept: readonly Kept[]
  readonly findings: readonly Finding[]
}
