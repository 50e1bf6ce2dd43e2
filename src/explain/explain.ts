import type { Sourced } from '../core/binding.ts'
import { type Finding, hasError } from '../core/finding.ts'
import { renderJson } from '../core/text.ts'
import { findRunning } from '../homes/container/running.ts'
import { type FoundHome, findHome } from '../homes/find-home.ts'
import { type Prepared, prepare } from '../homes/home.ts'
import { isUnloaded, unloaded } from '../homes/machine/home.ts'
import type { Host } from '../host/host.ts'
import type { PoolLine, SettingsAnswer } from '../php/answers.ts'
import { ProbeSilent } from '../php/ask.ts'
import { OFFLINE } from '../php/look-around.ts'
import { settingsQuestion } from '../php/questions.ts'
import { runsManaged } from '../php/web/page-settings.ts'
import { askForSettings, webOf } from '../php/web/web.ts'
import type { Plan } from '../plan/plan.ts'
import { renderFindings } from '../plan/report.ts'
import { judgeBindings } from '../plan/verdict.ts'
import { recognisePlatform } from '../platforms/platform.ts'
import { describeLateBypass } from '../stores/handler/managed.ts'
import { stores } from '../stores/index.ts'
import { operatorAcl, redisAcl } from '../stores/redis/acl.ts'
import { describeCookie } from './cookie.ts'
import type { Explanation } from './explanation.ts'
import { explanationJson } from './json.ts'
import { findOverrides, type Override } from './overrides.ts'
import { renderExplanation } from './text.ts'

/** Explains where the sessions are kept and why: every binding, every value with its provenance, every setting. */
export function explain(given: Host, flags: Readonly<Record<string, string>>): number {
  const { host, php } = findRunning(given)
  const explanation = explainHome(host, findHome(host, flags, php))
  if (flags.acl !== undefined) return printAcl(host, explanation, flags.operator !== undefined)
  if (flags.json !== undefined) host.out(renderJson(explanationJson(explanation)))
  else host.out(renderExplanation(explanation))
  return hasError(explanation.findings) ? 1 : 0
}

function explainHome(host: Host, found: FoundHome): Explanation {
  const { appDirectory } = found.home
  const prepared = prepare(found.home, OFFLINE)
  const { plan, pools, input, framework, findings, kept, hanging } = prepared
  const settings = askSettings(host, found, plan, pools)
  const overrides = findOverrides(host, appDirectory, found.home.php, prepared, plan.directives, settings)
  const bypass = findLateBypass(host, plan, findPrepend(overrides))
  return {
    platform: recognisePlatform(host),
    plan,
    options: input.options,
    verdicts: judgeBindings(input.bindings, input.options, stores),
    settings,
    overrides,
    cookie: describeCookie(plan, overrides, settings),
    framework,
    kept,
    findings: [...findings, ...hanging, ...bypass, ...findUnloaded(prepared, settings)],
  }
}

/** An ini file that only php-fpm reads is not known when the app starts. */
function findLateBypass(
  host: Host,
  { planned }: Plan,
  prepend: Sourced<string> | undefined,
): readonly Finding[] {
  if (planned?.handler !== 'managed' || prepend === undefined || runsManaged(host, prepend.value)) return []
  return [{ id: 'handler.bypassed', ...describeLateBypass(prepend, planned.endpoint) }]
}

/** A container's own start would load the extension, but PHP may read a file of `ini` there. */
function findUnloaded(
  { plan: { planned }, findings }: Prepared,
  settings: Partial<SettingsAnswer> | undefined,
): readonly Finding[] {
  if (planned === undefined || settings?.cli === undefined || findings.some(isUnloaded)) return []
  const { ours, extensions } = webOf(settings)
  const { name } = planned.store
  return ours === null || extensions[name] !== null ? [] : [unloaded(name, ours)]
}

function findPrepend(overrides: readonly Override[]): Sourced<string> | undefined {
  const override = overrides.findLast(({ name }) => name === 'auto_prepend_file')
  return override === undefined ? undefined : { value: override.value ?? '', from: override.from }
}

function askSettings(
  host: Host,
  { php, fpm }: FoundHome,
  plan: Plan,
  pools: readonly PoolLine[],
): Partial<SettingsAnswer> | undefined {
  try {
    return askForSettings(host, php, settingsQuestion(plan, fpm, pools), () => undefined)
  } catch (error) {
    if (error instanceof ProbeSilent) return undefined
    throw error
  }
}

/**
 * Prints the one line that creates a Redis user for these sessions, or for an operator's commands on them. Nothing
 * else is on stdout, so it can be piped: creating the app's user does not create a more powerful one along with it.
 */
function printAcl(host: Host, { plan, options }: Explanation, isForOperator: boolean): number {
  const { planned } = plan
  if (planned?.store.name === 'redis') {
    const { endpoint, handler } = planned
    host.out(`${(isForOperator ? operatorAcl : redisAcl)(endpoint, handler, options)}\n`)
    if (!isForOperator)
      host.err(
        'The commands sessions, locks and copy need another user: php-sessions explain --acl --operator\n',
      )
    return 0
  }
  const finding: Finding = {
    id: 'acl.redis',
    level: 'error',
    title: 'there is no Redis to create a user for: sessions are kept elsewhere',
    from: planned === undefined ? plan.because : `${planned.store.title} service ${planned.service}`,
    fix: 'bind a Redis, or run php-sessions explain to see why',
  }
  host.err(renderFindings([...plan.findings, finding]))
  return 1
}
