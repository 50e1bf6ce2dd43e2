import type { Binding, JsonObject } from '../core/binding.ts'
import { isPlace, readVariable } from '../core/credentials/field-names.ts'
import type { Finding } from '../core/finding.ts'
import { OPTIONS } from '../core/options.ts'
import type { Host } from '../host/host.ts'
import type { Bindings } from './bindings.ts'

const SOURCE = 'the environment variables'

/** Words of which one must be in the name: there are many variables that end with `_HOST`. */
const KIND = /REDIS|VALKEY|KEYVALUE|MEMCACH/

/** Variables whose name does not tell; their URI's scheme must. */
const OTHERS = ['DATABASE_URL', 'KV_URL']

/**
 * Words of groups that are no binding: what Kubernetes and Docker tell every container about its neighbours, HTTP
 * interfaces, addresses for people elsewhere, replicas, and a plugin of WordPress that caches.
 */
const STRANGERS = /(^|_)(SERVICE|REST|PUBLIC|MAPPED|REPLICA|SLAVE|READ|READER|READONLY|RO|WP)(_|$)/

/**
 * Reads variables such as REDIS_URL, VALKEY_HOST_SESSIONS or MEMCACHIER_SERVERS; those that differ in nothing but
 * the field are one binding. `REDIS_PASSWORD_FILE` names a file that holds what REDIS_PASSWORD would.
 *
 * Not on Cloud Foundry: there a bound service is in VCAP_SERVICES, and a variable is the app's own business, unless
 * PHP_SESSIONS_SERVICE names it.
 */
export function readVariables(host: Host): Bindings {
  const { env } = host
  const findings: Finding[] = []
  const groups = new Map<string, Record<string, string>>()
  for (const written of Object.keys(env).sort()) {
    const name = written.replace(/_FILE$/, '')
    const variable = isOfOurKind(name, env[name]) ? readVariable(name) : undefined
    if (variable === undefined || STRANGERS.test(variable.group)) continue
    const value = name === written ? follow(env, env[name] ?? '') : readFile(host, written, findings)
    if (isNothing(name, value)) continue
    groups.set(variable.group, { ...groups.get(variable.group), [name]: value })
  }
  const isChosenByKind = env.VCAP_APPLICATION === undefined
  const bindings = [...groups]
    .sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1))
    .flatMap(([group, variables]) => toBinding(group, variables, isChosenByKind))
  return { bindings: bindings.filter(isFirstOfItsKind).filter(isNotPlatformsName), findings }
}

function isOfOurKind(name: string, value: string | undefined): boolean {
  if (name in OPTIONS) return false
  return KIND.test(name) || (OTHERS.includes(name) && KIND.test(value?.split(':')[0]?.toUpperCase() ?? ''))
}

/** Laravel writes `null` for no password; Kubernetes gives REDIS_PORT to the neighbours of a service named redis. */
function isNothing(name: string, value: string): boolean {
  return value === '' || value === 'null' || (name.includes('PORT') && /^(tcp|udp):/.test(value))
}

/** Scalingo's variables refer to each other: `$SCALINGO_REDIS_URL`. */
function follow(env: Host['env'], value: string): string {
  const name = /^\$\{?([A-Z][A-Z0-9_]*)\}?$/.exec(value)?.[1]
  return (name === undefined ? undefined : env[name]) ?? value
}

function readFile(host: Host, name: string, findings: Finding[]): string {
  const path = host.env[name] ?? ''
  const text = path === '' ? '' : host.readFile(path)
  if (text !== undefined) return text.replace(/[\r\n]+$/, '')
  findings.push({
    id: 'binding.file',
    level: 'error',
    title: `${name} names a file that is not there: ${path}`,
    from: `environment variable ${name}`,
    fix: 'mount the secret there, or remove the variable',
  })
  return ''
}

function toBinding(
  group: string,
  variables: Readonly<Record<string, string>>,
  isChosenByKind: boolean,
): readonly Binding[] {
  const place = Object.keys(variables).find(
    (name) => isPlace(readVariable(name)?.name ?? '') && !/^https?:/.test(variables[name] ?? ''),
  )
  if (place === undefined) return []
  const names = [place, group, ...Object.keys(variables)]
  return [
    {
      name: place,
      // Search keys are written as services are named: REDIS_SESSIONS_URL is found by redis-sessions.
      names: [...new Set([...names, ...names.map((name) => name.toLowerCase().replaceAll('_', '-'))])],
      kinds: [group],
      plan: undefined,
      credentials: variables,
      source: SOURCE,
      from: `environment variable ${place}`,
      fieldPrefix: 'environment variable ',
      isChosenByKind,
    },
  ]
}

/** Heroku gives the same values under two names. */
function isFirstOfItsKind({ credentials }: Binding, index: number, all: readonly Binding[]): boolean {
  const values = (variables: JsonObject) => Object.values(variables).join('\n')
  return all.findIndex((other) => values(other.credentials) === values(credentials)) === index
}

/** REDIS_URL is the default one among HEROKU_REDIS_RED_URL, DOKKU_REDIS_SILVER_URL and the like. */
function isNotPlatformsName({ kinds }: Binding, _: number, all: readonly Binding[]): boolean {
  const [group = ''] = kinds
  return !all.some(
    ({ kinds: [other = ''] }) => /^(REDIS|VALKEY|MEMCACHED)$/.test(other) && group.includes(`_${other}`),
  )
}
