import { type Binding, isObject, type Json, type JsonObject, parseJson } from '../core/binding.ts'
import type { Finding } from '../core/finding.ts'
import { words } from '../core/text.ts'
import type { Host } from '../host/host.ts'
import type { Bindings } from './bindings.ts'
import { attempt, faultOf, unreadable } from './unreadable.ts'

/** The directory of bindings in files: the first of these that is set, as Cloud Native Buildpacks specify. */
export function findRoot(env: Host['env']): { readonly source: string; readonly root: string } | undefined {
  const candidates = [
    { source: 'SERVICE_BINDING_ROOT', root: env.SERVICE_BINDING_ROOT },
    { source: 'CNB_BINDINGS', root: env.CNB_BINDINGS },
    { source: 'CNB_PLATFORM_DIR', root: env.CNB_PLATFORM_DIR && `${env.CNB_PLATFORM_DIR}/bindings` },
  ]
  for (const { source, root } of candidates) if (root !== undefined && root !== '') return { source, root }
  return undefined
}

/**
 * Reads bindings in files: each binding is a directory, each entry a file.
 *
 * https://servicebinding.io/spec/core/1.1.0/#workload-projection. Cloud Foundry writes services in this form on
 * request; the buildpacks' older layout is still in use.
 */
export function readServiceBindings(host: Host): Bindings {
  const found = findRoot(host.env)
  if (found === undefined) return { bindings: [], findings: [] }
  const { source, root } = found
  const listed = attempt(() => host.listDirectory(root))
  if (listed.why !== undefined)
    return { bindings: [], findings: [{ ...unreadable(listed.why, source), level: 'error' }] }
  const read = listed.value
    .filter((name) => !isHidden(name))
    .map((name) => readBinding(host, source, `${root}/${name}`, name))
  return {
    bindings: read.flatMap(({ binding }) => binding ?? []),
    findings: read.flatMap(({ findings }) => findings),
  }
}

/** When a secret changes, Kubernetes swaps the hidden `..data`; the entries are links into it. */
function isHidden(name: string): boolean {
  return name.startsWith('.')
}

function readBinding(
  host: Host,
  source: string,
  directory: string,
  name: string,
): { readonly binding?: Binding; readonly findings: readonly Finding[] } {
  const findings: Finding[] = []
  const note = (why: string) => void findings.push(unreadable(why, directory))
  const isLegacy = isDirectory(host, `${directory}/metadata`, note)
  if (!isLegacy && !isDirectory(host, directory, note) && findings.length === 0) return { findings }
  const attributes = readEntries(host, isLegacy ? `${directory}/metadata` : directory, note)
  const secrets = isLegacy ? readEntries(host, `${directory}/secret`, note) : attributes
  const type = attributes.type ?? attributes.kind
  // If the type cannot be read, the name may still say that it is for sessions.
  if (type === undefined && findings.length === 0)
    return { findings: Object.keys(secrets).length === 0 ? [] : [missingType(directory)] }
  const names = [attributes['instance-name'], attributes.instance_name, name, attributes['binding-name']]
  const credentials = credentialsOf(host, directory, secrets, note)
  const given = names.filter((candidate) => candidate !== undefined && candidate !== '') as string[]
  return {
    binding: {
      name: given[0] ?? name,
      names: [...new Set(given)],
      kinds: [type, attributes.provider, attributes.label, ...readTags(attributes.tags)].filter(
        (word) => word !== undefined,
      ),
      plan: attributes.plan,
      credentials,
      source,
      from: directory,
      fieldPrefix: isLegacy ? `${directory}/secret/` : `${directory}/`,
      isChosenByKind: true,
      ...(findings.length === 0 ? {} : { faults: findings.map(faultOf) }),
    },
    findings,
  }
}

/** Gets the reason why a file cannot be read. */
type Note = (why: string) => void

function isDirectory(host: Host, path: string, note: Note): boolean {
  const read = attempt(() => host.isDirectory(path))
  if (read.why === undefined) return read.value
  note(read.why)
  return false
}

/** The texts by name. A line break at the end comes from an editor or `echo` and is not part of the value. */
function readEntries(host: Host, directory: string, note: Note): Readonly<Record<string, string>> {
  const read = attempt(() => host.readFiles(directory))
  if (read.why !== undefined) {
    note(read.why)
    return {}
  }
  const entries: Record<string, string> = {}
  for (const { name, text } of read.value) {
    if (typeof text !== 'string') note(text.message)
    else entries[name] = text.endsWith('\n') || text.endsWith('\r') ? text.replace(/[\r\n]+$/, '') : text
  }
  return entries
}

function readTags(text: string | undefined): readonly string[] {
  const tags = text === undefined ? [] : (parseJson(text) ?? text.split(','))
  return Array.isArray(tags) ? tags.filter((tag: Json) => typeof tag === 'string') : []
}

/** Entries that Cloud Foundry adds to the credentials. Its `name` is not that of the broker. */
const CLOUD_FOUNDRY = words('name label plan tags type provider')

function credentialsOf(
  host: Host,
  directory: string,
  entries: Readonly<Record<string, string>>,
  note: Note,
): JsonObject {
  const isCloudFoundry = 'instance-guid' in entries || 'binding-guid' in entries
  const own = Object.entries(entries).filter(([name]) => !isCloudFoundry || !CLOUD_FOUNDRY.includes(name))
  const container = findContainer(host, directory, note)
  const inner = container === undefined ? undefined : parseJson(entries[container] ?? '')
  return isObject(inner) ? inner : Object.fromEntries(own)
}

/** SAP's operator may put all credentials into one file as JSON; a hidden file then names it. */
function findContainer(host: Host, directory: string, note: Note): string | undefined {
  const read = attempt(() => host.readFile(`${directory}/.metadata`))
  if (read.why !== undefined) note(read.why)
  const text = read.why === undefined ? read.value : undefined
  const metadata = text === undefined ? undefined : parseJson(text)
  const properties = isObject(metadata) ? metadata.credentialProperties : undefined
  const container = Array.isArray(properties)
    ? properties.find((property: Json) => isObject(property) && property.container === true)
    : undefined
  return typeof container?.name === 'string' ? container.name : undefined
}

function missingType(directory: string): Finding {
  return {
    id: 'binding.type',
    level: 'warn',
    title: 'the binding is ignored because it has no file named type',
    from: directory,
    fix: 'if the binding is for sessions, add a file named type that says redis, valkey or memcached',
  }
}
