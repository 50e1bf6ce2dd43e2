import { isStoreUri } from '../core/address.ts'
import type { Binding } from '../core/binding.ts'
import { type FieldVariable, isPlace, readVariable } from '../core/credentials/field-names.ts'
import { isUnread, unreadFields } from '../core/credentials/unread.ts'
import type { Finding } from '../core/finding.ts'
import { OPTIONS } from '../core/options.ts'
import type { Host } from '../host/host.ts'
import type { Bindings } from './bindings.ts'
import { chooseVariables, mergeVariables } from './several-variables.ts'
import { attempt, faultOf, unreadable } from './unreadable.ts'

const SOURCE = 'the environment variables'

/** The name must have one of these words: many variables of other services end with `_HOST` too. */
const KIND = /REDIS|VALKEY|KEYVALUE|MEMCACH/

/**
 * Words in the names of variables that are not bindings: those that Kubernetes and Docker set for a container's
 * neighbours, HTTP interfaces, public addresses, replicas, and a caching plugin of WordPress.
 */
const NOT_BINDINGS = /(^|_)(SERVICE|REST|PUBLIC|MAPPED|REPLICA|SLAVE|READ|READER|READONLY|RO|WP)(_|$)/

/**
 * Reads variables such as REDIS_URL, VALKEY_HOST_SESSIONS or MEMCACHIER_SERVERS, and URIs of such stores under any
 * name. Variables whose names differ only in the field are one binding. `REDIS_PASSWORD_FILE` names a file with the
 * value of REDIS_PASSWORD.
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
    const variable = readStoreVariable(name, env[name] ?? '')
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
      const own = [
        ...faults.filter(([group]) => binding.kinds.includes(group)).map(([, fault]) => fault),
        ...findUnread(env, binding),
      ]
      return own.length === 0 ? binding : { ...binding, faults: own }
    })
  const read = chooseVariables(mergeVariables(bindings))
  return { bindings: isChosenByKind ? read : read.map(onCloudFoundry), findings }
}

/** A variable without the kind in its name is a binding on its own: similar variables belong to another service. */
function readStoreVariable(name: string, value: string): FieldVariable | undefined {
  if (Object.hasOwn(OPTIONS, name)) return undefined
  if (KIND.test(name)) return readVariable(name)
  return isStoreUri(value) ? { group: name, name: 'uri' } : undefined
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
  const read = path === '' ? { value: '' } : attempt(host.readFile, path)
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
    title: `${name} names a file that does not exist: ${/^[./]/.test(path) ? path : `${path.length} characters that are not a path`}`,
    from: `environment variable ${name}`,
    fix: 'mount the secret there, or remove the variable',
  })
  return ''
}

/** Variables with a service's prefix that are not part of it, if their names suggest that they matter. */
function findUnread(env: Host['env'], { kinds: [group], credentials, from }: Binding): readonly Finding[] {
  const unread = Object.entries(env)
    .filter(([name]) => name.startsWith(`${group}_`) && !NOT_BINDINGS.test(name) && !/_FILE$/.test(name))
    .filter(([name]) => !Object.hasOwn(credentials, name) && !Object.hasOwn(OPTIONS, name))
    .map(([name, value = '']) => ({
      name: name.slice(`${group}_`.length).replaceAll('_', '').toLowerCase(),
      value,
      from: name,
    }))
    .filter(isUnread)
  return unread.length === 0 ? [] : [unreadFields(from, unread)]
}

function onCloudFoundry(binding: Binding): Binding {
  const example = /MEMCACH/.test(binding.name)
    ? `app-memcached-sessions -p '{"servers": "HOST:11211"}'`
    : `app-redis-sessions -p '{"uri": "redis://…"}'`
  return {
    ...binding,
    isChosenByKind: false,
    whyNotByKind: `variables are not read on Cloud Foundry: bind a service (cf create-user-provided-service ${example}), or set PHP_SESSIONS_SERVICE=${binding.name}`,
  }
}

function toBinding(
  group: string,
  variables: Readonly<Record<string, string>>,
  isChosenByKind: boolean,
): readonly Binding[] {
  const place = Object.keys(variables).find(
    (name) =>
      name === group || (isPlace(readVariable(name)?.name ?? '') && !/^https?:/.test(variables[name] ?? '')),
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
