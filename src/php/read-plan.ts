import { isObject, parseJson } from '../core/binding.ts'
import type { Finding } from '../core/finding.ts'
import { readOptions } from '../core/options.ts'
import { DEFAULT_PHP, type Php } from '../core/php.ts'
import type { Host } from '../host/host.ts'
import { makePlan, type Plan, type PlanInput } from '../plan/plan.ts'
import { readBindings } from '../platforms/sources.ts'

/** What all commands start from: the plan, and what it was made of, for those who find out more. */
export interface ReadPlan {
  readonly plan: Plan
  readonly input: PlanInput
}

/** Whom and where a plan is for. */
export interface Target {
  readonly php?: Php | undefined
  /** Where the plan's files will be written; not needed by those who write none. */
  readonly directory?: string | undefined
}

/** Reads bindings and options and makes the plan, for the app in a directory. */
export function readPlan(host: Host, appDirectory: string, target: Target = {}): ReadPlan {
  const file = readOptionsFile(host, `${appDirectory}/.bp-config/options.json`)
  const { options, findings } = readOptions({ env: host.env, file })
  const { bindings, findings: bindingFindings } = readBindings(host)
  const input: PlanInput = {
    bindings,
    options,
    php: target.php ?? DEFAULT_PHP,
    directory: target.directory ?? '.',
    findings: [...file.findings, ...findings, ...bindingFindings],
  }
  return { plan: makePlan(input), input }
}

function readOptionsFile(host: Host, path: string) {
  const from = '.bp-config/options.json'
  const text = host.readFile(path)
  const value = text === undefined ? {} : parseJson(text)
  if (isObject(value)) return { value, from, findings: [] }
  const finding: Finding = {
    id: 'options.json',
    level: 'error',
    title: `${from} ${value === undefined ? 'is not JSON' : 'is not a JSON object'}`,
    from: path,
    fix: `find the place with: jq . ${from}`,
  }
  return { value: {}, from, findings: [finding] }
}
