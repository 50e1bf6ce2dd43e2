import type { Sourced } from '../core/binding.ts'
import { type Finding, hasError } from '../core/finding.ts'
import { findBypass } from '../homes/bypass.ts'
import { planFramework } from '../homes/framework.ts'
import { findTarget, type Target } from '../homes/target.ts'
import type { Host } from '../host/host.ts'
import type { SettingsAnswer } from '../php/answers.ts'
import { askPhp, ProbeSilent } from '../php/ask.ts'
import { settingsQuestion } from '../php/questions.ts'
import { makePlan } from '../plan/plan.ts'
import { renderFindings } from '../plan/report.ts'
import { judgeBindings } from '../plan/verdict.ts'
import { recognisePlatform } from '../platforms/platform.ts'
import { stores } from '../stores/index.ts'
import { redisAcl } from '../stores/redis/acl.ts'
import type { Explanation } from './explanation.ts'
import { explanationJson } from './json.ts'
import { findOverrides, type Override } from './overrides.ts'
import { renderExplanation } from './text.ts'

/** Says where the sessions will live and why: every binding, every value with its provenance, every setting. */
export function explain(host: Host, flags: Readonly<Record<string, string>>): number {
  const target = findTarget(host, flags)
  const explanation = explainTarget(host, target)
  if (flags.acl !== undefined) return printAcl(host, explanation)
  if (flags.json !== undefined) host.out(`${JSON.stringify(explanationJson(explanation), null, 2)}\n`)
  else host.out(renderExplanation(explanation))
  return hasError(explanation.findings) ? 1 : 0
}

function explainTarget(host: Host, target: Target): Explanation {
  const { read, appDirectory } = target
  const settings = askSettings(host, target)
  // What phpredis can do is known without its server; who is the master is not.
  const phpredis = settings?.cli?.extensions.redis ?? undefined
  const plan = makePlan({ ...read.input, php: { ...read.input.php, phpredis } })
  const platform = recognisePlatform(host)
  const isBuildpack = platform.id === 'cloudfoundry' || platform.id === 'cnb'
  const framework = planFramework(host, appDirectory, plan, read.input.options, isBuildpack)
  const overrides = findOverrides(host, appDirectory, plan.directives, settings)
  const later = target.laterPrepend ?? findPrepend(overrides)
  return {
    platform,
    plan,
    options: read.input.options,
    verdicts: judgeBindings(read.input.bindings, read.input.options, stores),
    settings,
    overrides,
    framework,
    findings: [...plan.findings, ...findBypass(host, appDirectory, plan, later), ...framework.findings],
  }
}

function findPrepend(overrides: readonly Override[]): Sourced<string> | undefined {
  const override = overrides.find(({ name }) => name === 'auto_prepend_file')
  return override === undefined ? undefined : { value: override.value ?? '', from: override.from }
}

function askSettings(host: Host, target: Target): Partial<SettingsAnswer> | undefined {
  const { read, php, fpm } = target
  try {
    const start = { command: php, env: {} }
    return askPhp(host, start, 'settings', settingsQuestion(read.plan, fpm), () => undefined)
  } catch (error) {
    if (error instanceof ProbeSilent) return undefined
    throw error
  }
}

/** The one line that makes a Redis user for these sessions; nothing else is on stdout, so that it can be piped. */
function printAcl(host: Host, { plan, options }: Explanation): number {
  const { planned } = plan
  if (planned?.store.name === 'redis') {
    host.out(`${redisAcl(planned.endpoint, planned.handler, options)}\n`)
    return 0
  }
  const finding: Finding = {
    id: 'acl.redis',
    level: 'error',
    title: 'there is no Redis for which a user could be made: sessions are kept elsewhere',
    from: planned === undefined ? plan.because : `${planned.store.title} service ${planned.service}`,
    fix: 'bind a Redis, or see php-sessions explain',
  }
  host.err(renderFindings([...plan.findings, finding]))
  return 1
}
