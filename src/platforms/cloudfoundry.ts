import { type Binding, isObject, type Json, type JsonObject, parseJson } from '../core/binding.ts'
import type { Finding } from '../core/finding.ts'
import type { Host } from '../host/host.ts'

/** What to do where php_buildpack is not the last buildpack of the app. */
export const PUSH_IN_ORDER = 'cf push APP -b php-sessions-buildpack -b php_buildpack, in this order'

/** What a platform says is bound, in its own order, and what could not be read. */
export interface Bindings {
  readonly bindings: readonly Binding[]
  readonly findings: readonly Finding[]
}

/**
 * Reads the bound services from VCAP_SERVICES: an object of lists, one list a label.
 *
 * https://docs.cloudfoundry.org/devguide/deploy-apps/environment-variable.html#VCAP-SERVICES
 */
export function readVcapServices(host: Host): Bindings {
  const text = host.env.VCAP_SERVICES
  if (text === undefined || text.trim() === '') return { bindings: [], findings: [] }
  const services = parseJson(text)
  if (!isObject(services)) return malformed(services === undefined ? 'is not JSON' : 'is not a JSON object')

  const bindings: Binding[] = []
  for (const [label, list] of Object.entries(services)) {
    if (!Array.isArray(list)) return malformed(`has no list under ${label}`)
    for (const service of list as readonly Json[]) {
      if (!isObject(service)) return malformed(`has something else than an object in the list of ${label}`)
      bindings.push(readService(label, service))
    }
  }
  return { bindings, findings: [] }
}

function readService(label: string, service: JsonObject): Binding {
  // A binding that has a name of its own has it in `name`; people know the service by its instance name.
  const names = ['instance_name', 'name']
    .map((key) => service[key])
    .filter((name) => typeof name === 'string' && name !== '') as string[]
  const name = names[0] ?? label
  const tags = Array.isArray(service.tags) ? service.tags : []
  return {
    name,
    names: [...new Set(names)],
    kinds: [label, ...tags.filter((tag: Json) => typeof tag === 'string')],
    credentials: isObject(service.credentials) ? service.credentials : {},
    from: `VCAP_SERVICES ${name}`,
  }
}

function malformed(what: string): Bindings {
  const finding: Finding = {
    id: 'vcap.json',
    level: 'error',
    title: `VCAP_SERVICES ${what}`,
    from: 'environment variable VCAP_SERVICES',
    fix: 'look at it with cf env APP; if it was set by hand, cf unset-env APP VCAP_SERVICES and restage',
  }
  return { bindings: [], findings: [finding] }
}
