import { isObject, parseJson } from '../core/binding.ts'
import type { Finding } from '../core/finding.ts'
import { type Options, readOptions } from '../core/options.ts'
import { DEFAULT_PHP, type Php } from '../core/php.ts'
import type { Host } from '../host/host.ts'
import { makePlan, type Plan } from '../plan/plan.ts'
import { readVcapServices } from '../platforms/cloudfoundry.ts'

/** What all commands start from: the plan, and the options for what is decided outside of it. */
export interface ReadPlan {
  readonly plan: Plan
  readonly options: Options
}

/** Reads bindings and options and makes the plan, for the app in a directory and the PHP that will serve it. */
export function readPlan(host: Host, appDirectory: string, php: Php = DEFAULT_PHP): ReadPlan {
  const file = readOptionsFile(host, `${appDirectory}/.bp-config/options.json`)
  const { options, findings } = readOptions({ env: host.env, file })
  const { bindings, findings: bindingFindings } = readVcapServices(host)
  const plan = makePlan({
    bindings,
    options,
    php,
    findings: [...file.findings, ...findings, ...bindingFindings],
  })
  return { plan, options }
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
