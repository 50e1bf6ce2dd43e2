import { hasError } from '../core/finding.ts'
import { revealIfSecret } from '../core/secret.ts'
import type { AppVariable } from '../frameworks/framework.ts'
import { planFiles } from '../plan/plan.ts'
import { renderFindings } from '../plan/report.ts'
import { describeVariables, summariseApp } from './framework.ts'
import { renderHanging } from './hanging.ts'
import { type Home, type Prepared, prepare } from './home.ts'
import { summariseKept } from './kept.ts'

/** The environment variables for an app's processes; each home passes them in its own way. */
export type Environment = Readonly<Record<string, string>>

/** A home in which apps start. */
export interface StartHome extends Home {
  /**
   * Makes PHP use the settings, or keep sessions in local files if there are none; returns the variables for PHP.
   * With `hasFailed` the settings must not be used.
   */
  apply(prepared: Prepared, hasFailed: boolean): Environment
}

/** A start that succeeded. */
export interface Started {
  readonly prepared: Prepared
  /** Whether sessions stay in local files because of an error, as PHP_SESSIONS_ON_ERROR asks. */
  readonly hasFailed: boolean
  readonly environment: Environment
}

/**
 * Starts the sessions of an app: plans, says what was found and where the sessions are, and applies that.
 *
 * Undefined if the app must not start; nothing was changed then. `isQuiet` is for a start that has already printed
 * its messages.
 */
export function start(home: StartHome, isQuiet = false): Started | undefined {
  const prepared = prepare(home)
  const { plan, input, framework, findings, kept, keptWithout, hanging } = prepared
  const hasFailed = hasError(findings)
  const isStopped = hasFailed && input.options.PHP_SESSIONS_ON_ERROR !== 'files'
  const say = (text: string) => {
    if (!isQuiet) home.host.err(text)
  }
  say(renderFindings(findings))
  if (isStopped) return undefined
  // This comes before any message: the place for the files may be full or missing.
  const applied = home.apply(prepared, hasFailed)
  const where = hasFailed
    ? `PHP_SESSIONS_ON_ERROR=files: ${summariseKept(planFiles('the bound service cannot be used', []), keptWithout)}`
    : summariseApp(plan, framework, kept)
  say(`php-sessions: ${where}\n`)
  if (!hasFailed) say(renderHanging(hanging))
  const variables = hasFailed ? [] : framework.variables
  if (variables.length > 0) say(`php-sessions: ${describeVariables(framework)}\n`)
  return {
    prepared,
    hasFailed,
    environment: { ...applied, ...environmentOf(variables) },
  }
}

function environmentOf(variables: readonly AppVariable[]): Environment {
  return Object.fromEntries(variables.map(({ name, value }) => [name, revealIfSecret(value)]))
}
