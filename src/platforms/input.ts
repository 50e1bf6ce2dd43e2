import { isObject, type JsonObject, parseJson } from '../core/binding.ts'
import type { Finding } from '../core/finding.ts'
import type { Input } from '../core/input.ts'
import { readOptions } from '../core/options.ts'
import type { Host } from '../host/host.ts'
import { readKeyFiles } from './key-files.ts'
import { findRoot } from './service-binding.ts'
import { readBindings } from './sources.ts'
import { attempt, READABLE } from './unreadable.ts'

/** Reads the bindings and the options of the app in a directory. */
export function readInput(host: Host, appDirectory: string): Input {
  const file = readOptionsFile(host, `${appDirectory}/.bp-config/options.json`)
  const { options: written, findings } = readOptions({ env: host.env, file })
  const keys = readKeyFiles(host, written.PHP_SESSIONS_ENCRYPTION_KEY)
  const options = { ...written, PHP_SESSIONS_ENCRYPTION_KEY: keys.value }
  const { bindings, findings: bindingFindings } = readBindings(host)
  const nothingBound = describeNothingBound(host)
  return {
    bindings,
    options,
    ...(nothingBound === undefined ? {} : { nothingBound }),
    findings: [...file.findings, ...findings, ...keys.findings, ...bindingFindings],
  }
}

/**
 * The places that were searched, if nothing is bound; undefined on Cloud Foundry, where the names of services count.
 */
function describeNothingBound(host: Host): string | undefined {
  const { VCAP_APPLICATION, VCAP_SERVICES, VCAP_SERVICES_FILE_PATH } = host.env
  if ((VCAP_APPLICATION ?? VCAP_SERVICES ?? VCAP_SERVICES_FILE_PATH) !== undefined) return undefined
  const variables = 'no variable such as REDIS_URL or MEMCACHED_SERVERS names a store'
  const found = findRoot(host.env)
  if (found === undefined) return `${variables}, and SERVICE_BINDING_ROOT is not set`
  const { source, root } = found
  const looked = attempt(host.isDirectory, root)
  return looked.why === undefined && looked.value
    ? `${variables}, and no binding in ${root} (${source}) is a Redis, Valkey or Memcached`
    : `${variables}, and the directory of bindings, ${root} (${source}), does not exist`
}

/** What the app's own file for php_buildpack says. */
export function readOptionsFile(
  host: Host,
  path: string,
): { readonly value: JsonObject; readonly from: string; readonly findings: readonly Finding[] } {
  const from = '.bp-config/options.json'
  const read = attempt(host.readFile, path)
  const value = read.why !== undefined ? undefined : read.value === undefined ? {} : parseJson(read.value)
  if (isObject(value)) return { value, from, findings: [] }
  const finding: Finding = {
    id: 'options.json',
    level: 'error',
    title: read.why ?? `${from} ${value === undefined ? 'is not JSON' : 'is not a JSON object'}`,
    from: path,
    fix: read.why === undefined ? `find the place with: jq . ${from}` : READABLE,
  }
  return { value: {}, from, findings: [finding] }
}
