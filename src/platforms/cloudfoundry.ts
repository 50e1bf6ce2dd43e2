import { type Binding, isObject, type Json, type JsonObject, parseJson } from '../core/binding.ts'
import type { Finding } from '../core/finding.ts'
import type { Host } from '../host/host.ts'
import type { Bindings } from './bindings.ts'
import { attempt } from './unreadable.ts'

/** The fix if php_buildpack is not the last buildpack of the app. */
export const PUSH_IN_ORDER = 'cf push APP -b php-sessions-buildpack -b php_buildpack, in this order'

/**
 * Reads the bound services: an object with one list of services per label.
 *
 * They are in VCAP_SERVICES or, if the app has asked for that, in a file; then the variable is absent.
 * https://docs.cloudfoundry.org/devguide/deploy-apps/environment-variable.html#VCAP-SERVICES
 */
export function readVcapServices(host: Host): Bindings {
  const { VCAP_SERVICES_FILE_PATH: path } = host.env
  if (path === undefined || path === '') return readServices('VCAP_SERVICES', host.env.VCAP_SERVICES ?? '')
  const read = attempt(host.readFile, path)
  if (read.why !== undefined) return malformedServices(path, `is not a usable file: ${read.why}`)
  if (read.value === undefined) return malformedServices(path, 'does not exist')
  // With nothing bound, the platform writes an empty object.
  return read.value.trim() === '' ? malformedServices(path, 'is empty') : readServices(path, read.value)
}

function readServices(source: string, text: string): Bindings {
  if (text.trim() === '') return { bindings: [], findings: [] }
  const services = parseJson(text)
  if (!isObject(services))
    return malformedServices(source, services === undefined ? 'is not JSON' : 'is not a JSON object')

  const bindings: Binding[] = []
  for (const [label, list] of Object.entries(services)) {
    if (!Array.isArray(list)) return malformedServices(source, `has no list under ${label}`)
    for (const service of list as readonly Json[]) {
      if (!isObject(service))
        return malformedServices(source, `has a service under ${label} that is not an object`)
      bindings.push(readService(source, label, service))
    }
  }
  return { bindings, findings: [] }
}

function readService(source: string, label: string, service: JsonObject): Binding {
  // `name` is the name of the binding, if it has one; people know the service by its instance name.
  const names = ['instance_name', 'name']
    .map((key) => service[key])
    .filter((name) => typeof name === 'string' && name !== '') as string[]
  const name = names[0] ?? label
  const tags = Array.isArray(service.tags) ? service.tags : []
  return {
    name,
    names: [...new Set(names)],
    kinds: [label, ...tags.filter((tag: Json) => typeof tag === 'string')],
    plan: typeof service.plan === 'string' ? service.plan : undefined,
    credentials: isObject(service.credentials) ? service.credentials : {},
    source,
    from: `${source} ${name}`,
    fieldPrefix: `${source} ${name} credentials.`,
    isChosenByKind: false,
  }
}

function malformedServices(source: string, what: string): Bindings {
  const isVariable = source === 'VCAP_SERVICES'
  const finding: Finding = {
    id: 'vcap.json',
    level: 'error',
    title: `${source} ${what}`,
    from: isVariable ? 'environment variable VCAP_SERVICES' : 'environment variable VCAP_SERVICES_FILE_PATH',
    fix: isVariable
      ? 'look at it with cf env APP; if somebody set it by hand, cf unset-env APP VCAP_SERVICES and restage'
      : 'look at the file in the container with cf ssh APP; if the platform has not written it, restart the app',
  }
  return { bindings: [], findings: [finding] }
}
