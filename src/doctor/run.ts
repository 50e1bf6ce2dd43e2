import { KILLED } from '../core/exit-status.ts'
import type { Finding } from '../core/finding.ts'
import { joinWords, oneLine } from '../core/text.ts'
import { Interrupted } from '../host/host.ts'
import { ProbeSilent } from '../php/ask.ts'
import type { Check, CheckOutcome, CheckResult, Context, Status } from './check.ts'

/**
 * Runs the checks in order and skips those that need a check that failed.
 *
 * A check that throws, or whose probe does not answer, becomes a finding and stops only the checks that need it.
 */
export function runChecks(
  checks: readonly Check[],
  context: Context,
  report: (result: CheckResult) => void,
): readonly CheckResult[] {
  const failed = new Set<string>()
  const run = (check: Check): CheckResult => {
    const missing = check.needs.filter((id) => failed.has(id))
    if (missing.length > 0) {
      failed.add(check.id)
      const title = `${check.meaning} (skipped: ${joinWords(missing, 'and')} failed)`
      return { id: check.id, status: 'skipped', title, milliseconds: 0, findings: [] }
    }
    const start = context.host.now()
    const outcome = runCheck(check, context)
    const status = resultStatus(outcome)
    if (status === 'error') failed.add(check.id)
    return {
      id: check.id,
      status,
      title: resultTitle(check, outcome),
      milliseconds: Math.round(1000 * (context.host.now() - start)),
      findings: outcome?.findings ?? [],
    }
  }
  return checks.map((check) => {
    const result = run(check)
    report(result)
    return result
  })
}

function resultTitle({ meaning }: Check, outcome: CheckOutcome | undefined): string {
  if (outcome === undefined) return `${meaning} (does not apply here)`
  return outcome.findings.length === 0 ? outcome.title : meaning
}

/** The checks of these ids and all that they need, in their order. */
export function selectChecks(checks: readonly Check[], ids: readonly string[]): readonly Check[] {
  if (ids.length === 0) return checks
  const wanted = new Set(ids)
  // A check needs only checks before it.
  for (const { id, needs } of checks.toReversed())
    if (wanted.has(id)) for (const need of needs) wanted.add(need)
  return checks.filter(({ id }) => wanted.has(id))
}

function resultStatus(outcome: CheckOutcome | undefined): Status {
  if (outcome === undefined) return 'skipped'
  const levels = outcome.findings.map(({ level }) => level)
  if (levels.includes('error')) return 'error'
  return levels.length > 0 ? 'warn' : 'ok'
}

function runCheck(check: Check, context: Context): CheckOutcome | undefined {
  try {
    return check.run(context)
  } catch (error) {
    if (error instanceof Interrupted) throw error
    const finding =
      error instanceof ProbeSilent ? silentFinding(check, error) : faultFinding(check, error, context.quote)
    return { title: check.meaning, findings: [finding] }
  }
}

function silentFinding({ meaning }: Check, { command, status, limitSeconds }: ProbeSilent): Finding {
  const what =
    status === KILLED
      ? `PHP did not answer within ${limitSeconds} seconds`
      : `PHP ended with exit status ${status}`
  return {
    id: 'check.silent',
    level: 'error',
    title: `${what} when asked: ${meaning}`,
    from: command,
    fix: 'run php-sessions doctor --debug to see what PHP was asked and what it answered',
  }
}

function faultFinding({ id }: Check, error: unknown, quote: Context['quote']): Finding {
  const what = quote(error instanceof Error ? `${error.name}: ${error.message}` : String(error))
  return {
    id: 'check.fault',
    level: 'warn',
    title: oneLine(`this check itself failed: ${what}`),
    from: id,
    fix: 'report this fault in php-sessions with the output of php-sessions doctor --debug',
  }
}
