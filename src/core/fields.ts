import { isObject, type Json, type JsonObject, parseJson, type Sourced } from './binding.ts'
import { isPlace, readFieldName, readVariable } from './field-names.ts'

/** One value of the credentials; `name` is written as in `FIELD_NAMES`, or is none of those. */
export interface CredentialField extends Sourced<Json> {
  readonly name: string
}

/** Objects whose fields are meant as if they stood beside it: `{"redis": {"port": 6379}}`. */
const MERGED = [
  ...['redis', 'rediss', 'valkey', 'valkeys', 'memcached', 'credentials', 'binding', 'authentication'],
  'certificate',
]
/** Objects whose fields are named by it: `{"sentinel": {"port": 26379}}` is a `sentinel_port`. */
const PREFIXED = ['tls', 'ssl', 'sentinel', 'cluster']
const TLS = ['tls', 'ssl']
/** IBM's object of several ways to connect, of which one is ours. */
const CONNECTION = 'connection'

/**
 * Lists the values of the credentials by meaning, however deep a broker has put them; `prefix` is what their
 * provenances begin with.
 *
 * Names without the kind come before those with it (`password`, `redis-password`), and those before the
 * variables of one service among several (`MY_CACHE_HOST`).
 */
export function readFields(credentials: JsonObject, prefix: string): readonly CredentialField[] {
  const fields = unwrap(credentials, prefix, '')
  const isChosen = chooseVariables(fields)
  return fields.filter(isChosen).toSorted((a, b) => a.rank - b.rank)
}

interface Ranked extends CredentialField {
  readonly rank: number
  /** The variable's group, where the name was read from that of a variable. */
  readonly group?: string
}

function unwrap(object: JsonObject, prefix: string, outer: string): Ranked[] {
  return Object.entries(object).flatMap(([key, value]): Ranked[] => {
    const from = `${prefix}${key}`
    const field = { ...nameOf(outer + flatName(key)), value, from }
    const inner = readObject(field.name, value)
    if (inner === undefined) return [field]
    if (field.name === CONNECTION) return unwrapConnection(inner, from)
    if (MERGED.includes(field.name)) return unwrap(inner, `${from}.`, '')
    // An object called `tls` says that there is TLS, unless it says otherwise itself.
    const isSign = TLS.includes(field.name) && !('enabled' in inner)
    return [...(isSign ? [field] : []), ...unwrap(inner, `${from}.`, field.name)]
  })
}

function nameOf(key: string): { name: string; rank: number; group?: string } {
  const { name, isPlain } = readFieldName(key)
  const isContainer = [...MERGED, ...PREFIXED, CONNECTION].includes(name)
  if (!isPlain) return { name, rank: 1 }
  const variable = /^[A-Z][A-Z0-9_]*$/.test(key) && !isContainer ? readVariable(key) : undefined
  if (variable === undefined || variable.group === '') return { name, rank: 0 }
  return { name: variable.name, rank: 2, group: variable.group }
}

/** The object in a field that may hold one; bindings in files hold it as JSON text. */
function readObject(name: string, value: Json): JsonObject | undefined {
  if (![...MERGED, ...PREFIXED, CONNECTION].includes(name)) return undefined
  const parsed = typeof value === 'string' && value.trim().startsWith('{') ? parseJson(value) : value
  return isObject(parsed) ? parsed : undefined
}

function unwrapConnection(connection: JsonObject, from: string): Ranked[] {
  const name = ['rediss', 'redis'].find((key) => isObject(connection[key]))
  const inner = name === undefined ? connection : (connection[name] as JsonObject)
  return unwrap(inner, `${from}.${name === undefined ? '' : `${name}.`}`, '')
}

/** The last part of `connection.rediss.hosts.0.hostname`, as Terraform flattens IBM's object; any other name as it is. */
function flatName(key: string): string {
  return /^connection\.rediss?\.(?:.*\.)?([a-z_0-9]*[a-z_][a-z_0-9]*)(?:\.0)?$/.exec(key)?.[1] ?? key
}

/** Variables of several services may stand together: those of the first one that says where it is. */
function chooseVariables(fields: readonly Ranked[]): (field: Ranked) => boolean {
  const first = fields.find(({ group, name }) => group !== undefined && isPlace(name))
  return ({ group }) => group === undefined || group === first?.group
}
