import { type Binding, isObject, type Json, type JsonObject, parseJson } from '../core/binding.ts'
import type { Finding } from '../core/finding.ts'
import { words } from '../core/text.ts'
import { type DirectoryFiles, type Host, HostError } from '../host/host.ts'
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
  const listed = attempt(host.listDirectory, root)
  if (listed.why !== undefined)
    return { bindings: [], findings: [{ ...unreadable(listed.why, source), level: 'error', fix: LISTABLE }] }
  const bindings: Binding[] = []
  const findings: Finding[] = []
  for (const name of listed.value) {
    if (isHidden(name)) continue
    const binding = readBinding(host, { source, directory: `${root}/${name}`, name }, findings)
    if (binding !== undefined) bindings.push(binding)
  }
  return { bindings, findings }
}

const LISTABLE = 'look at it with ls -ldL: it must be a directory that the user of php-sessions may list'

/** When a secret changes, Kubernetes swaps the hidden `..data`; the entries are links into it. */
function isHidden(name: string): boolean {
  return name.startsWith('.')
}

type Entries = DirectoryFiles['texts']

/** Where a binding was found. */
interface Place {
  readonly source: string
  readonly directory: string
  /** The last part of the directory. */
  readonly name: string
}

/** Adds what cannot be read to `findings`. */
function readBinding(host: Host, place: Place, findings: Finding[]): Binding | undefined {
  const files = readOrdinary(host, place.directory)
  return files === undefined
    ? readUnusual(host, place, findings)
    : makeBinding(place, files, credentialsOf(files))
}

/** The files of a binding to which there is no more: nothing unreadable, older, or of SAP's operator. */
function readOrdinary(host: Host, directory: string): Entries | undefined {
  try {
    const { texts, errors, others } = host.readFiles(directory)
    const isAll = errors === undefined && !others?.includes('metadata') && !others?.includes('.metadata')
    return isAll && typeOf(texts) !== undefined ? texts : undefined
  } catch (error) {
    if (error instanceof HostError) return undefined
    throw error
  }
}

function readUnusual(host: Host, place: Place, findings: Finding[]): Binding | undefined {
  const { directory } = place
  const own: Finding[] = []
  const note = (why: string) => void own.push(unreadable(why, directory))
  const isLegacy = isDirectory(host, `${directory}/metadata`, note)
  if (!isLegacy && !isDirectory(host, directory, note) && own.length === 0) return undefined
  const attributes = readEntries(host, isLegacy ? `${directory}/metadata` : directory, note)
  const secrets = isLegacy ? readEntries(host, `${directory}/secret`, note) : attributes
  // If the type cannot be read, the name may still say that it is for sessions.
  if (typeOf(attributes) === undefined && own.length === 0) {
    if (Object.keys(secrets).length > 0) findings.push(missingType(directory))
    return undefined
  }
  const credentials = credentialsOf(secrets, findContainer(host, directory, note))
  findings.push(...own)
  return {
    ...makeBinding(place, attributes, credentials),
    ...(isLegacy ? { fieldPrefix: `${directory}/secret/` } : {}),
    ...(own.length === 0 ? {} : { faults: own.map(faultOf) }),
  }
}

function makeBinding(
  { source, directory, name }: Place,
  attributes: Entries,
  credentials: JsonObject,
): Binding {
  const names = namesOf(attributes, name)
  return {
    name: names[0] ?? name,
    names,
    kinds: kindsOf(attributes),
    plan: attributes.plan,
    credentials,
    source,
    from: directory,
    fieldPrefix: `${directory}/`,
    isChosenByKind: true,
  }
}

function typeOf(attributes: Entries): string | undefined {
  return attributes.type ?? attributes.kind
}

/** Gets the reason why a file cannot be read. */
type Note = (why: string) => void

function isDirectory(host: Host, path: string, note: Note): boolean {
  const read = attempt(host.isDirectory, path)
  if (read.why === undefined) return read.value
  note(read.why)
  return false
}

function readEntries(host: Host, directory: string, note: Note): Entries {
  const read = attempt(host.readFiles, directory)
  if (read.why !== undefined) {
    note(read.why)
    return {}
  }
  for (const { message } of read.value.errors ?? []) note(message)
  return read.value.texts
}

function kindsOf(attributes: Entries): readonly string[] {
  const { provider, label, tags } = attributes
  const kinds: string[] = []
  const type = typeOf(attributes)
  if (type !== undefined) kinds.push(type)
  if (provider !== undefined) kinds.push(provider)
  if (label !== undefined) kinds.push(label)
  return tags === undefined ? kinds : [...kinds, ...readTags(tags)]
}

/** The names that are given, each once. */
function namesOf(attributes: Entries, name: string): readonly string[] {
  const { 'instance-name': instance, instance_name: older, 'binding-name': binding } = attributes
  // Thousands may be bound, and few have another name.
  if ((instance ?? older ?? binding) === undefined) return [name]
  const given = [instance, older, name, binding].filter((one) => one !== undefined)
  return [...new Set(given)].filter((one) => one !== '')
}

function readTags(text: string): readonly string[] {
  const tags = parseJson(text) ?? text.split(',')
  return Array.isArray(tags) ? tags.filter((tag: Json) => typeof tag === 'string') : []
}

/** Entries that Cloud Foundry adds to the credentials. Its `name` is not that of the broker. */
const CLOUD_FOUNDRY = words('name label plan tags type provider')

/** The entries, or the fields in the one that has them all. */
function credentialsOf(entries: Entries, container?: string): JsonObject {
  const inner = container === undefined ? undefined : parseJson(entries[container] ?? '')
  if (isObject(inner)) return inner
  if (!('instance-guid' in entries || 'binding-guid' in entries)) return entries
  return Object.fromEntries(Object.entries(entries).filter(([name]) => !CLOUD_FOUNDRY.includes(name)))
}

/** SAP's operator may put all credentials into one file as JSON; a hidden file then names it. */
function findContainer(host: Host, directory: string, note: Note): string | undefined {
  const read = attempt(host.readFile, `${directory}/.metadata`)
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
