import { type Finding, hasError } from '../core/finding.ts'
import { makeLongMask, makeMask } from '../core/mask.ts'
import { printableLines, renderJson } from '../core/text.ts'
import { findRunning } from '../homes/container/running.ts'
import { findHome } from '../homes/find-home.ts'
import { prepare } from '../homes/home.ts'
import type { Host } from '../host/host.ts'
import { secretsOf } from '../php/questions.ts'
import { findingJson, planJson } from '../plan/json.ts'
import type { Plan } from '../plan/plan.ts'
import { type Platform, recognisePlatform } from '../platforms/platform.ts'
import type { CheckResult } from './check.ts'
import { checks } from './checks/index.ts'
import { type Examined, IMPATIENT, makeContext } from './context.ts'
import { runChecks, selectChecks } from './run.ts'
import { renderCheck, renderHead, renderLast, styleFor } from './text.ts'

type Flags = Readonly<Record<string, string>>

/**
 * Checks each step from the binding to a session in the PHP that serves the app, and says which fails and what to do.
 *
 * Exits with status 1 on an error, with --strict also on a warning. It writes only its own sessions and keys, and
 * removes them.
 */
export function doctor(host: Host, ids: readonly string[], flags: Flags): number {
  if (flags.list !== undefined) {
    host.out(checks.map(({ id, meaning }) => `${id.padEnd(19)} ${meaning}\n`).join(''))
    return 0
  }
  const examined = examine(host, flags)
  const secrets = secretsOf(examined.plan)
  const quote = makeMask(secrets)
  // The checks quote PHP and servers without secrets. This makes sure of it.
  const hide = makeLongMask(secrets)
  const context = makeContext(examined, (text) => {
    if (flags.debug !== undefined) host.err(printableLines(quote(text)))
  })
  const style = styleFor(host, flags)
  const isJson = flags.json !== undefined
  const print = (text: string) => {
    if (!isJson) host.out(hide(text))
  }
  const { platform } = examined
  print(renderHead(context, platform))
  const results = runChecks(selectChecks(checks, ids), context, (result) => print(renderCheck(result, style)))
  const isStrict = flags.strict !== undefined
  print(renderLast(context, results, { isSelection: ids.length > 0, isStrict }, style))
  if (isJson) host.out(renderJson(resultsJson(examined.plan, platform, results, hide)))
  const findings = results.flatMap((result) => result.findings)
  return hasError(findings) || (isStrict && findings.length > 0) ? 1 : 0
}

/** Finds the PHP to ask and the plan that it should follow. */
function examine(given: Host, flags: Flags): Examined {
  const { host, php: running, findings: obstructions } = findRunning(given)
  const { home, php, fpm } = findHome(host, flags, running)
  const { plan, pools, kept, hanging, input } = prepare(home, IMPATIENT)
  return {
    host,
    plan,
    obstructions,
    pools,
    kept,
    hanging,
    options: input.options,
    home,
    platform: recognisePlatform(host),
    php,
    fpm,
  }
}

/** For scripts: of what they read, only the texts for people may have a secret in them. */
function resultsJson(
  plan: Plan,
  platform: Platform,
  results: readonly CheckResult[],
  hide: (text: string) => string,
) {
  const findingsJson = (findings: readonly Finding[]) =>
    findings.map(({ store, ...finding }) => {
      const { id, level, title, from, fix } = findingJson(finding)
      const shown = { id, level, title: hide(title), from: hide(from), fix: hide(fix) }
      return store === undefined ? shown : { ...shown, store }
    })
  return {
    ...planJson(plan, platform.id),
    findings: results.flatMap(({ findings }) => findingsJson(findings)),
    checks: results.map(({ id, status, title, milliseconds, findings }) => ({
      ...{ id, status, title: hide(title), milliseconds },
      findings: findingsJson(findings),
    })),
  }
}
