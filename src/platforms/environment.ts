import type { Binding, JsonObject } from '../core/binding.ts'
import { isPlace, readVariable } from '../core/credentials/field-names.ts'
import type { Finding } from '../core/finding.ts'
import { OPTIONS } from '../core/options.ts'
import type { Host } from '../host/host.ts'
import type { Bindings } from './bindings.ts'
import { attempt, faultOf, unreadable } from './unreadable.ts'

const SOURCE = 'the environment variables'

/** The name must have one of these words: many variables of other services end with `_HOST` too. */
const KIND = /REDIS|VALKEY|KEYVALUE|MEMCACH/

/** Variables whose name does not say the kind of service; the scheme of their URI must. */
const NEUTRAL_NAMES = ['DATABASE_URL', 'KV_URL']

/**
 * Words in the names of variables that are not bindings: what Kubernetes and Docker tell every container about its
 * neighbours, HTTP interfaces, public addresses, replicas, and a caching plugin of WordPress.
 */
const NOT_BINDINGS = /(^|_)(SERVICE|REST|PUBLIC|MAPPED|REPLICA|SLAVE|READ|READER|READONLY|RO|WP)(_|$)/

/**
 * Reads variables such as REDIS_URL, VALKEY_HOST_SESSIONS or MEMCACHIER_SERVERS. Variables whose names differ only in
 * the field are one binding. `REDIS_PASSWORD_FILE` names a file with the value of REDIS_PASSWORD.
 *
 * On Cloud Foundry, where bound services are in VCAP_SERVICES, a variable is chosen only if PHP_SESSIONS_SERVICE
 * names it.
 */
export function readVariables(host: Host): Bindings {
  const { env } = host
  const findings: Finding[] = []
  const groups = new Map<string, Record<string, string>>()
  const faults: (readonly [group: string, fault: Finding])[] = []
  for (const written of Object.keys(env).sort()) {
    const name = written.replace(/_FILE$/, '')
    const variable = isStoreVariable(name, env[name]) ? readVariable(name) : undefined
    if (variable === undefined || NOT_BINDINGS.test(variable.group)) continue
    const value =
      name === written
        ? resolveReference(env, env[name] ?? '')
        : readSecret(host, written, findings, (fault) => faults.push([variable.group, fault]))
    if (hasNoValue(name, value)) continue
    groups.set(variable.group, { ...groups.get(variable.group), [name]: value })
  }
  const isChosenByKind = env.VCAP_APPLICATION === undefined
  const bindings = [...groups]
    .sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1))
    .flatMap(([group, variables]) => toBinding(group, variables, isChosenByKind))
    .map((binding): Binding => {
      const own = faults.filter(([group]) => binding.kinds.includes(group)).map(([, fault]) => fault)
      return own.length === 0 ? binding : { ...binding, faults: own }
    })
  return { bindings: bindings.filter(isNotRepeated).filter(isNotAlias), findings }
}

function isStoreVariable(name: string, value: string | undefined): boolean {
  if (name in OPTIONS) return false
  return (
    KIND.test(name) || (NEUTRAL_NAMES.includes(name) && KIND.test(value?.split(':')[0]?.toUpperCase() ?? ''))
  )
}

/** Laravel writes `null` for no password. Kubernetes sets REDIS_PORT in every container near a service named redis. */
function hasNoValue(name: string, value: string): boolean {
  return value === '' || value === 'null' || (name.includes('PORT') && /^(tcp|udp):/.test(value))
}

/** On Scalingo variables refer to each other: `$SCALINGO_REDIS_URL`. */
function resolveReference(env: Host['env'], value: string): string {
  const name = /^\$\{?([A-Z][A-Z0-9_]*)\}?$/.exec(value)?.[1]
  return (name === undefined ? undefined : env[name]) ?? value
}

function readSecret(
  host: Host,
  name: string,
  findings: Finding[],
  noteFault: (fault: Finding) => void,
): string {
  const path = host.env[name] ?? ''
  const read = attempt(() => (path === '' ? '' : host.readFile(path)))
  if (read.why !== undefined) {
    const finding = unreadable(read.why, `environment variable ${name}`)
    findings.push(finding)
    noteFault(faultOf(finding))
    return ''
  }
  const text = read.value
  if (text !== undefined) return text.replace(/[\r\n]+$/, '')
  findings.push({
    id: 'binding.file',
    level: 'error',
    title: `${name} names a file that does not exist: ${path}`,
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
      // Search keys are written like the names of services: redis-sessions finds REDIS_SESSIONS_URL.
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
function isNotRepeated({ credentials }: Binding, index: number, all: readonly Binding[]): boolean {
  const values = (variables: JsonObject) => Object.values(variables).join('\n')
  return all.findIndex((other) => values(other.credentials) === values(credentials)) === index
}

/** If there is a REDIS_URL, names of the platform such as HEROKU_REDIS_RED_URL or DOKKU_REDIS_SILVER_URL are dropped. */
function isNotAlias({ kinds }: Binding, _: number, all: readonly Binding[]): boolean {
  const [group = ''] = kinds
  return !all.some(
    ({ kinds: [other = ''] }) => /^(REDIS|VALKEY|MEMCACHED)$/.test(other) && group.includes(`_${other}`),
  )
}
