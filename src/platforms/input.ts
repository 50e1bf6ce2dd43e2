import { isObject, parseJson } from '../core/binding.ts'
import type { Finding } from '../core/finding.ts'
import type { Input } from '../core/input.ts'
import { readOptions } from '../core/options.ts'
import type { Host } from '../host/host.ts'
import { readBindings } from './sources.ts'
import { attempt } from './unreadable.ts'

/** Reads the bindings and the options of the app in a directory. */
export function readInput(host: Host, appDirectory: string): Input {
  const file = readOptionsFile(host, `${appDirectory}/.bp-config/options.json`)
  const { options, findings } = readOptions({ env: host.env, file })
  const { bindings, findings: bindingFindings } = readBindings(host)
  return { bindings, options, findings: [...file.findings, ...findings, ...bindingFindings] }
}

function readOptionsFile(host: Host, path: string) {
  const from = '.bp-config/options.json'
  const read = attempt(() => host.readFile(path))
  const value = read.why !== undefined ? undefined : read.value === undefined ? {} : parseJson(read.value)
  if (isObject(value)) return { value, from, findings: [] }
  const finding: Finding = {
    id: 'options.json',
    level: 'error',
    title: read.why ?? `${from} ${value === undefined ? 'is not JSON' : 'is not a JSON object'}`,
    from: path,
    fix: `find the place with: jq . ${from}`,
  }
  return { value: {}, from, findings: [finding] }
}
