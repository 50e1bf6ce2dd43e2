import { type HostAndPort, readHostAndPort, readUri } from '../address.ts'
import { type Binding, isObject, type Json, parseJson, type Sourced } from '../binding.ts'
import { type Finding, hasError } from '../finding.ts'
import { joinWords } from '../text.ts'
import { FIELD_NAMES, type Field } from './field-names.ts'
import { type CredentialField, readFields } from './fields.ts'
import { isUnread, unreadFields } from './unread.ts'
import { isAbsent, isSwitchedOn } from './values.ts'

/** A server from a binding's list, not yet checked. */
export interface ListedServer extends HostAndPort {
  readonly tlsPort: string | undefined
  readonly weight: string | undefined
}

/** The credentials of one binding, read by meaning. `findings` lists unusable and doubtful values. */
export interface Credentials {
  readonly binding: Binding
  readonly findings: readonly Finding[]
  has(field: Field): boolean
  /** The value as text; undefined if no field with that meaning has a value. */
  text(field: Field): Sourced<string> | undefined
  /** The values of all fields with the winning name, and of their lists; empty if there are none. */
  texts(field: Field): readonly Sourced<string>[]
  /** Whether the field is switched on: `false`, `"0"`, `off` and `disabled` are off, any other value is on. */
  flag(field: Field): Sourced<boolean> | undefined
  /** The servers in a list of strings or objects, or in a string with commas, semicolons or blanks between them. */
  servers(field: Field): Sourced<readonly ListedServer[]> | undefined
  note(finding: Finding): void
  /** Notes that all of these fields are missing, and names the existing fields. */
  noteMissing(what: string, fields: readonly Field[]): void
  /** Notes unknown fields whose names suggest TLS, a login, Sentinel or a cluster. */
  noteUnread(): void
  /** Notes that a value does not fit its field. */
  noteWrong(value: Sourced<unknown>, expected: string, got: string): void
}

type Note = Credentials['note']

/** Opens the credentials of a binding. */
export function readCredentials(binding: Binding): Credentials {
  const findings: Finding[] = [...(binding.faults ?? [])]
  const note: Note = (finding) => void findings.push(finding)
  const fields = readFields(binding.credentials, binding.fieldPrefix)
  const { find, text, texts } = fieldReader(fields, note)

  const reference = fields.find(({ name }) => name === 'credhubref')
  if (reference !== undefined) note(unresolvedReference(reference))
  return {
    binding,
    findings,
    note,
    text,
    texts,
    has: (field) => find(field) !== undefined,
    flag: (field) => {
      const found = find(field)
      return found === undefined ? undefined : { value: isSwitchedOn(found.value), from: found.from }
    },
    servers: (field) => {
      const found = find(field)
      if (found === undefined) return undefined
      return {
        value: listOf(found.value).flatMap((item) => readListed(item, found.from, note)),
        from: found.from,
      }
    },
    noteMissing: (what, wanted) => {
      // An unresolved reference has none of the fields; its own finding is enough.
      if (reference === undefined) note(missingFields(binding, what, wanted))
    },
    noteUnread: () => {
      const unread = fields.filter(isUnread)
      if (unread.length > 0) note(unreadFields(binding.from, unread))
    },
    noteWrong: ({ from }, expected, got) => note(wrongValue(from, `expected ${expected}, got ${got}`)),
  }
}

/** Whether a finding makes the binding unusable. */
export function isUnusable({ findings }: Credentials): boolean {
  return hasError(findings)
}

const CORRECT_VALUE = 'correct the value where the credentials are created, then bind the service again'

function wrongValue(from: string, title: string, fix = CORRECT_VALUE): Finding {
  return { id: 'binding.value', level: 'error', title, from, fix }
}

function unresolvedReference({ from }: CredentialField): Finding {
  return {
    id: 'binding.credhub',
    level: 'error',
    title: 'the credentials are a CredHub reference that the platform has not resolved',
    from,
    fix: 'ask the operator why the app container does not resolve it; file-based bindings and CREDHUB_SKIP_INTERPOLATION prevent that',
  }
}

function missingFields(binding: Binding, what: string, wanted: readonly Field[]): Finding {
  const names = wanted.flatMap((field) => FIELD_NAMES[field].slice(0, 2))
  const there = Object.keys(binding.credentials)
  return {
    id: 'binding.shape',
    level: 'error',
    title: `no ${what} in the credentials: looked for ${joinWords(names, 'or')}`,
    from: `${binding.from} credentials (fields there: ${there.length === 0 ? 'none' : there.join(', ')})`,
    fix: howToAdd(binding, names[0] ?? ''),
  }
}

function howToAdd({ name, from, fieldPrefix }: Binding, field: string): string {
  if (fieldPrefix.endsWith('/')) return `add a file named ${field} to ${fieldPrefix}`
  if (fieldPrefix.startsWith('environment')) return `set another variable, for the ${field}, beside ${name}`
  if (!from.startsWith('VCAP_SERVICES')) return `add ${field} where the credentials are created`
  return `add ${field} to the credentials; for a user-provided service, replace them all with cf update-user-provided-service ${name} -p '{"${field}": …}'`
}

function fieldReader(fields: readonly CredentialField[], note: Note) {
  const find = (field: Field): CredentialField | undefined => {
    for (const name of FIELD_NAMES[field]) {
      const found = fields.find((candidate) => candidate.name === name && !isAbsent(candidate.value))
      if (found !== undefined) return found
    }
    return undefined
  }
  const text = (field: Field): Sourced<string> | undefined => {
    const found = find(field)
    const value = found === undefined ? undefined : textOf(found.value, found.from, note)
    return found === undefined || value === undefined ? undefined : { value, from: found.from }
  }
  const texts = (field: Field): readonly Sourced<string>[] => {
    const name = find(field)?.name
    return fields
      .filter((candidate) => candidate.name === name && !isAbsent(candidate.value))
      .flatMap(({ value, from }) => listOf(value).map((item) => ({ item: certOf(item), from })))
      .flatMap(({ item, from }) => {
        const read = textOf(item, from, note)
        return read === undefined ? [] : [{ value: read, from }]
      })
  }
  return { find, text, texts }
}

/** Google lists certificates as objects, with other facts about each. */
function certOf(item: Json): Json {
  return isObject(item) && item.cert !== undefined ? item.cert : item
}

function textOf(value: Json, from: string, note: Note): string | undefined {
  if (Array.isArray(value) && value.length === 1 && !Array.isArray(value[0]))
    return textOf(value[0] as Json, from, note)
  if (typeof value === 'boolean' || Number.isSafeInteger(value)) return String(value)
  const refuse = (title: string, fix?: string): undefined => note(wrongValue(from, title, fix)) as undefined
  if (typeof value === 'number')
    return refuse('the value is a number that JSON cannot represent exactly', 'write it as a string')
  if (typeof value !== 'string')
    return refuse(`expected a string, got ${Array.isArray(value) ? 'a list' : 'an object'}`)
  if (value.includes('\0')) return refuse('the value has a NUL character, which no ini file can hold')
  if (!value.isWellFormed() || value.includes('\ufffd'))
    return refuse('the value is not valid Unicode (UTF-8)')
  return value
}

/** In files, bindings hold lists as JSON text. */
function listOf(value: Json): readonly Json[] {
  const parsed = typeof value === 'string' && value.trim().startsWith('[') ? parseJson(value) : value
  return Array.isArray(parsed) ? (parsed as readonly Json[]) : [value]
}

function readListed(item: Json, from: string, note: Note): readonly ListedServer[] {
  if (isObject(item)) {
    const { text } = fieldReader(readFields(item, `${from}.`), note)
    const host = readListedText(text('host')?.value ?? '')
    const weight = text('weight')?.value ?? host.weight
    return [{ ...host, port: text('port')?.value ?? host.port, tlsPort: text('tlsPort')?.value, weight }]
  }
  const servers = textOf(item, from, note)?.split(/[\s,;]+/) ?? []
  return servers.filter((server) => server !== '').map(readListedText)
}

/**
 * Reads `host`, `host:port`, `host:port:weight`, `scheme://host:port` or `scheme://host:port?weight=3`. Other text
 * becomes a host, and is refused later.
 */
function readListedText(text: string): ListedServer {
  const [, plain = text, weight] = /^((?:\[[^\]]*\]|[^:[\]]+):[0-9]+):([0-9]{1,9})$/.exec(text) ?? []
  const uri = readUri(plain)
  const [server = { host: text, port: undefined }] = uri?.hosts ?? [readHostAndPort(plain)]
  return { ...server, tlsPort: undefined, weight: weight ?? uri?.query.weight }
}
