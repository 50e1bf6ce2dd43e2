import { isStoreUri } from '../address.ts'
import { isObject, type Json, type JsonObject, parseJson, type Sourced } from '../binding.ts'
import { words } from '../text.ts'
import { isPlace, readFieldName, readVariable } from './field-names.ts'

/** One value of the credentials. `name` is spelled as in `FIELD_NAMES`, even if it is not one of them. */
export interface CredentialField extends Sourced<Json> {
  readonly name: string
}

/**
 * Fields that may hold an object of fields.
 *
 * `merged`: as if its fields stood beside it (`{"redis": {"port": 6379}}`). `named`: its name is part of theirs
 * (`{"sentinel": {"port": 26379}}` is a `sentinel_port`). `ways`: IBM's ways to connect, of which one is chosen.
 */
const CONTAINERS: ReadonlyMap<string, 'merged' | 'named' | 'ways'> = new Map([
  ...words('redis rediss valkey valkeys memcached credentials binding authentication certificate').map(
    (name) => [name, 'merged'] as const,
  ),
  ...words('tls ssl sentinel cluster').map((name) => [name, 'named'] as const),
  ['connection', 'ways'],
])

/** Deeper than any broker goes. */
const DEPTH = 6

/**
 * Lists the values of the credentials by meaning, at any depth. Every provenance begins with `prefix`.
 *
 * Plain names (`password`) come first, then names with a kind in front (`redis-password`), then variables that
 * belong to one service among several (`MY_CACHE_HOST`).
 */
export function readFields(credentials: JsonObject, prefix: string): readonly CredentialField[] {
  const fields = unwrap(credentials, prefix, '')
  const isChosen = chooseVariables(fields)
  const chosen = fields.filter(isChosen).toSorted((a, b) => a.rank - b.rank)
  return chosen.some(({ name }) => isPlace(name))
    ? chosen
    : [...chosen, ...chosen.filter(isPlaceByUri).map(asUri)]
}

/**
 * If no field has the name of a place, a URI of a store under any other name is the place: `SESSION_STORE=redis://…`.
 */
function isPlaceByUri({ name, value }: CredentialField): boolean {
  return typeof value === 'string' && isStoreUri(value) && !/read|replica|slave|cli$/.test(name)
}

function asUri(field: CredentialField): CredentialField {
  return { ...field, name: 'uri' }
}

interface Ranked extends CredentialField {
  readonly rank: number
  /** The group of the variable, if the name is that of a variable. */
  readonly group?: string
}

function unwrap(object: JsonObject, prefix: string, outer: string, depth = 0): Ranked[] {
  if (depth > DEPTH) return []
  return Object.entries(object).flatMap(([key, value]): Ranked[] => {
    const from = `${prefix}${key}`
    const field = { ...rankName(outer + flatName(key)), value, from }
    const container = CONTAINERS.get(field.name)
    const inner = container === undefined ? undefined : readObject(value)
    if (inner === undefined) return [asFlag(field)]
    if (container === 'merged') return unwrap(inner, `${from}.`, '', depth + 1)
    if (container === 'ways') return unwrap(chooseWay(inner), `${from}.`, '', depth + 1)
    // An object named `tls` means that the server has TLS, unless a field in it says otherwise.
    const isSign = /^(tls|ssl)$/.test(field.name) && !('enabled' in inner)
    return [...(isSign ? [field] : []), ...unwrap(inner, `${from}.`, field.name, depth + 1)]
  })
}

/** `cluster: true` says that it is a cluster; `cluster: "main"` is only a name. */
function asFlag(field: Ranked): Ranked {
  const { name, value } = field
  const isOn = value === true || (typeof value === 'string' && /^(true|1|on|yes)$/i.test(value))
  const isFlag = isOn && /^(cluster|sentinel)$/.test(name)
  return isFlag ? { ...field, name: `${field.name}enabled` } : field
}

function rankName(key: string): { name: string; rank: number; group?: string } {
  const { name, isPlain } = readFieldName(key)
  if (!isPlain) return { name, rank: 1 }
  const variable = /^[A-Z][A-Z0-9_]*$/.test(key) && !CONTAINERS.has(name) ? readVariable(key) : undefined
  if (variable === undefined || variable.group === '') return { name, rank: 0 }
  return { name: variable.name, rank: 2, group: variable.group }
}

/** In files, bindings hold objects as JSON text. */
function readObject(value: Json): JsonObject | undefined {
  const parsed = typeof value === 'string' && value.trim().startsWith('{') ? parseJson(value) : value
  return isObject(parsed) ? parsed : undefined
}

/** One of IBM's ways to connect, under the name of its scheme. */
function chooseWay(connection: JsonObject): JsonObject {
  const scheme = ['rediss', 'redis'].find((name) => isObject(connection[name]))
  return scheme === undefined ? connection : { [scheme]: connection[scheme] as JsonObject }
}

/** The last part of `connection.rediss.hosts.0.hostname`, as Terraform flattens IBM's object; other names unchanged. */
function flatName(key: string): string {
  return /^connection\.rediss?\.(?:.*\.)?([a-z_0-9]*[a-z_][a-z_0-9]*)(?:\.0)?$/.exec(key)?.[1] ?? key
}

/** Variables of several services may stand together: chooses those of the first service with a place in them. */
function chooseVariables(fields: readonly Ranked[]): (field: Ranked) => boolean {
  const first = fields.find(({ group, name }) => group !== undefined && isPlace(name))
  return ({ group }) => group === undefined || group === first?.group
}
