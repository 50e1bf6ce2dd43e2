import type { Finding } from '../core/finding.ts'
import type { Options } from '../core/options.ts'
import { oneLine } from '../core/text.ts'
import { frameworkFindings } from '../frameworks/findings.ts'
import type { AppVariable } from '../frameworks/framework.ts'
import { type Recognised, recogniseFramework } from '../frameworks/recognise.ts'
import type { Host } from '../host/host.ts'
import type { Plan, PlannedStore } from '../plan/plan.ts'
import { formatPlace } from '../plan/report.ts'
import { type Kept, summariseKept } from './kept.ts'

/** An app's framework, and what a start does about one that does not use PHP's session handler. */
export interface FrameworkPlan {
  readonly recognised: Recognised | undefined
  /** The variables that a start sets so that the framework uses the bound service. */
  readonly variables: readonly AppVariable[]
  /** Faults of the framework that the variables do not repair. */
  readonly findings: readonly Finding[]
}

/** Looks at an app's files. `isDefault` says whether this home sets variables if the user has not decided. */
export function planFramework(
  host: Host,
  appDirectory: string,
  { planned }: Plan,
  options: Options,
  isDefault: boolean,
): FrameworkPlan {
  const recognised = recogniseFramework(host, appDirectory)
  if (recognised === undefined || planned === undefined) return { recognised, variables: [], findings: [] }
  const bound = { ...planned, prefix: options.PHP_SESSIONS_PREFIX }
  const variables = (options.PHP_SESSIONS_FRAMEWORK ?? isDefault) ? recognised.environment(bound) : []
  const findings =
    variables.length > 0
      ? variableFindings(recognised, planned)
      : frameworkFindings(recognised, bound).map((finding) => withPassword(finding, planned))
  return { recognised, variables, findings: [...findings, ...clearFindings(recognised, planned)] }
}

/** A key is for PHP's session handler. */
function clearFindings({ name, verdict }: Recognised, { endpoint }: PlannedStore): readonly Finding[] {
  if (endpoint.encryption === undefined || ['php', 'none'].includes(verdict)) return []
  return [
    {
      id: 'encryption.framework',
      level: 'warn',
      title: `${name} keeps its sessions itself, and does not encrypt them with this key`,
      from: endpoint.encryption.from,
      fix: `let ${name} encrypt them, for example with SESSION_ENCRYPT=true in Laravel, or remove the key`,
    },
  ]
}

/** With the managed handler the save_path, from which some settings read the password, has none. */
function withPassword(finding: Finding, { handler, endpoint }: PlannedStore): Finding {
  const isMissing =
    handler === 'managed' && endpoint.password !== undefined && finding.fix.includes('session.save_path')
  return isMissing
    ? {
        ...finding,
        fix: `set PHP_SESSIONS_HANDLER=native, as session.save_path has no password for the managed handler; and ${finding.fix}`,
      }
    : finding
}

/** The limits of a start's variables. */
function variableFindings({ name }: Recognised, { endpoint }: PlannedStore): readonly Finding[] {
  if (endpoint.sentinel === undefined) return []
  return [
    {
      id: 'framework.sentinel',
      level: 'warn',
      title: `${name} learns the master's address only at startup: after a failover it keeps the old one`,
      from: endpoint.sentinel.masterName.from,
      fix: 'restart the app after a failover, or configure the Sentinels in the app itself',
    },
  ]
}

/** Says in one line where the app's sessions are: where PHP keeps them, unless its framework does not use PHP's handler. */
export function summariseApp(
  plan: Plan,
  { recognised, variables }: FrameworkPlan,
  kept: readonly Kept[],
): string {
  const { planned } = plan
  const isPhp = recognised === undefined || ['php', 'none'].includes(recognised.verdict)
  if (planned === undefined || isPhp || variables.length > 0) return summariseKept(plan, kept)
  const { name, verdict, where } = recognised
  const own =
    verdict === 'breaks'
      ? `${name} cannot start a session with it, because ${where}`
      : `${name} does not use it and keeps its sessions in ${where}`
  return oneLine(
    `PHP's handler is set to ${planned.store.title} service ${planned.service} (${formatPlace(planned)}), but ${own}`,
  )
}

/** Says in one line which variables a start sets, and for which framework. */
export function describeVariables({ recognised, variables }: FrameworkPlan): string {
  const names = variables.map(({ name }) => name).join(', ')
  return `${recognised?.name ?? ''} has session drivers of its own: ${names} are set for it`
}
