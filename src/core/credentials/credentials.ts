import { type HostAndPort, readHostAndPort, readUri } from '../address.ts'
import { type Binding, isObject, type Json, parseJson, type Sourced } from '../binding.ts'
import { type Finding, hasError } from '../finding.ts'
import { joinWords } from '../text.ts'
import { FIELD_NAMES, type Field } from './field-names.ts'
import { type CredentialField, readFields } from './fields.ts'

/** One of several servers as a binding lists them, not yet checked. */
export interface ListedServer extends HostAndPort {
  readonly tlsPort: string | undefined
  readonly weight: string | undefined
}

/** The credentials of one binding, read by meaning. What cannot be used, or is doubtful, is in `findings`. */
export interface Credentials {
  readonly binding: Binding
  readonly findings: readonly Finding[]
  has(field: Field): boolean
  /** The value as text; undefined where no field of that meaning has one. */
  text(field: Field): Sourced<string> | undefined
  /** Whether it is switched on: `false`, `"0"`, `off` or `disabled` is off, any other value is on. */
  flag(field: Field): Sourced<boolean> | undefined
  /** The servers in a list of texts or objects, or in a text that separates them by commas, semicolons or blanks. */
  servers(field: Field): Sourced<readonly ListedServer[]> | undefined
  note(finding: Finding): void
  /** Notes that none of these fields is there, naming those that are. */
  missing(what: string, fields: readonly Field[]): void
  /** Notes that a value cannot be what its field says. */
  wrong(value: Sourced<unknown>, expected: string, got: string): void
}

type Note = Credentials['note']

/** Opens the credentials of a binding. */
export function readCredentials(binding: Binding): Credentials {
  const findings: Finding[] = []
  const note: Note = (finding) => void findings.push(finding)
  const fields = readFields(binding.credentials, binding.fieldPrefix)
  const { find, text } = fieldReader(fields, note)

  const reference = fields.find(({ name }) => name === 'credhubref')
  if (reference !== undefined) note(unresolved(reference))
  return {
    binding,
    findings,
    note,
    text,
    has: (field) => find(field) !== undefined,
    flag: (field) => {
      const found = find(field)
      return found === undefined ? undefined : { value: isOn(found.value), from: found.from }
    },
    servers: (field) => {
      const found = find(field)
      if (found === undefined) return undefined
      return {
        value: listOf(found.value).flatMap((item) => readListed(item, found.from, note)),
        from: found.from,
      }
    },
    missing: (what, wanted) => {
      // An unresolved reference has none of the fields: the first finding says all.
      if (reference === undefined) note(missing(binding, what, wanted))
    },
    wrong: ({ from }, expected, got) => note(fault(from, `expected ${expected}, got ${got}`)),
  }
}

/** Whether something was noted that makes the binding unusable. */
export function isUnusable({ findings }: Credentials): boolean {
  return hasError(findings)
}

const NEW_VALUE = 'correct it where the credentials are made, then bind the service again'

function fault(from: string, title: string, fix = NEW_VALUE): Finding {
  return { id: 'binding.value', level: 'error', title, from, fix }
}

function unresolved({ from }: CredentialField): Finding {
  return {
    id: 'binding.credhub',
    level: 'error',
    title: 'the credentials are a CredHub reference that the platform has not resolved',
    from,
    fix: 'ask the operator why the app container does not resolve it; file-based bindings and CREDHUB_SKIP_INTERPOLATION prevent it',
  }
}

function missing(binding: Binding, what: string, wanted: readonly Field[]): Finding {
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
  if (fieldPrefix.startsWith('environment')) return `set a variable for the ${field} beside ${name}`
  if (!from.startsWith('VCAP_SERVICES')) return `add ${field} to the credentials where they are made`
  return `add ${field} to the credentials; those of a user-provided service are replaced with cf update-user-provided-service ${name} -p '{"${field}": …}'`
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
  return { find, text }
}

/** Brokers write null, an empty text or an empty list for what a plan does not have. */
function isAbsent(value: Json): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0)
}

function textOf(value: Json, from: string, note: Note): string | undefined {
  if (Array.isArray(value) && value.length === 1 && !Array.isArray(value[0]))
    return textOf(value[0] as Json, from, note)
  if (typeof value === 'boolean' || Number.isSafeInteger(value)) return String(value)
  const refuse = (title: string, fix?: string): undefined => note(fault(from, title, fix)) as undefined
  if (typeof value === 'number')
    return refuse('the value is a number that JSON cannot hold exactly', 'write it as a string')
  if (typeof value !== 'string')
    return refuse(`expected a text, got ${Array.isArray(value) ? 'a list' : 'an object'}`)
  if (value.includes('\0')) return refuse('the value holds a NUL character, which no ini file can carry')
  if (!value.isWellFormed() || value.includes('\ufffd'))
    return refuse('the value is not valid Unicode text: it holds half a character')
  return value
}

const OFF = ['', '0', 'false', 'no', 'off', 'none', 'null', 'disable', 'disabled']

function isOn(value: Json): boolean {
  return typeof value === 'string' ? !OFF.includes(value.trim().toLowerCase()) : Boolean(value)
}

/** Bindings in files hold lists as JSON text. */
function listOf(value: Json): readonly Json[] {
  const parsed = typeof value === 'string' && value.trim().startsWith('[') ? parseJson(value) : value
  return Array.isArray(parsed) ? (parsed as readonly Json[]) : [value]
}

function readListed(item: Json, from: string, note: Note): readonly ListedServer[] {
  if (isObject(item)) {
    const { text } = fieldReader(readFields(item, `${from}.`), note)
    const host = readListedText(text('host')?.value ?? '')
    return [{ ...host, port: text('port')?.value ?? host.port, tlsPort: text('tlsPort')?.value }]
  }
  const words = textOf(item, from, note)?.split(/[\s,;]+/) ?? []
  return words.filter((word) => word !== '').map(readListedText)
}

/** Reads `host`, `host:port`, `host:port:weight` or `scheme://host:port`; what is none of them is a host that is none. */
function readListedText(text: string): ListedServer {
  const [, plain = text, weight] = /^((?:\[[^\]]*\]|[^:[\]]+):[0-9]+):([0-9]{1,9})$/.exec(text) ?? []
  const [server = { host: text, port: undefined }] = readUri(plain)?.hosts ?? [readHostAndPort(plain)]
  return { ...server, tlsPort: undefined, weight }
}
