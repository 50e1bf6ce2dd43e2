import type { Binding, Json, Sourced } from './binding.ts'
import type { Finding } from './finding.ts'
import { joinWords } from './text.ts'

/** What each thing is called by the brokers that exist: the first name that has a value wins. */
export const FIELD_NAMES = {
  host: ['host', 'hostname'],
  port: ['port'],
  tlsPort: ['tls_port'],
  tls: ['tls', 'ssl', 'tls_enabled'],
  user: ['username', 'user'],
  password: ['password'],
  uri: ['uri', 'url'],
  servers: ['servers'],
} as const satisfies Record<string, readonly string[]>

export type Field = keyof typeof FIELD_NAMES

/** The credentials of one binding, read by meaning. What cannot be used is collected in `findings`. */
export interface Credentials {
  readonly findings: Finding[]
  /** The value as text; undefined where no field of that meaning has one. */
  text(field: Field): Sourced<string> | undefined
  /** The values as texts, from a list or from a text that separates them by commas, semicolons or blanks. */
  list(field: Field): Sourced<readonly string[]> | undefined
  /** Notes that none of these fields is there, naming those that are. */
  missing(what: string, fields: readonly Field[]): void
  /** Notes that a value cannot be what its field says. */
  wrong(value: Sourced<unknown>, expected: string, got: string): void
}

/** Opens the credentials of a binding. */
export function readCredentials(binding: Binding): Credentials {
  const findings: Finding[] = []
  const source = `${binding.from} credentials`

  const note = (id: string, title: string, from: string, fix: string): undefined => {
    findings.push({ id, level: 'error', title, from, fix })
    return undefined
  }

  const raw = (field: Field): Sourced<Json> | undefined => {
    const name = FIELD_NAMES[field].find((key) => !isAbsent(binding.credentials[key]))
    return name === undefined
      ? undefined
      : { value: binding.credentials[name] as Json, from: `${source}.${name}` }
  }

  const asText = ({ value, from }: Sourced<Json>): string | undefined => {
    if (typeof value === 'string') {
      if (value.includes('\0'))
        return note(
          'binding.value',
          'the value holds a NUL character, which no ini file can carry',
          from,
          NEW_VALUE,
        )
      if (!value.isWellFormed())
        return note(
          'binding.value',
          'the value is not valid Unicode text: it holds half a character',
          from,
          NEW_VALUE,
        )
      return value
    }
    if (typeof value === 'boolean' || Number.isSafeInteger(value)) return String(value)
    if (typeof value === 'number')
      return note(
        'binding.value',
        'the value is a number that JSON cannot hold exactly',
        from,
        'write it as a string',
      )
    return note(
      'binding.value',
      `expected a text, got ${Array.isArray(value) ? 'a list' : 'an object'}`,
      from,
      NEW_VALUE,
    )
  }

  if (['credhub-ref', 'credhub_ref'].some((key) => key in binding.credentials))
    note(
      'binding.credhub',
      'the credentials are a CredHub reference that the platform has not resolved',
      `${source}.credhub-ref`,
      'ask the operator why the app container does not resolve it; file-based bindings and CREDHUB_SKIP_INTERPOLATION prevent it',
    )

  return {
    findings,
    text: (field) => {
      const found = raw(field)
      const value = found === undefined ? undefined : asText(found)
      return found === undefined || value === undefined ? undefined : { value, from: found.from }
    },
    list: (field) => {
      const found = raw(field)
      if (found === undefined) return undefined
      const items = Array.isArray(found.value) ? found.value : [found.value]
      const texts = items.map((item) => asText({ value: item, from: found.from }))
      const words = texts.flatMap((text) => text?.split(/[\s,;]+/) ?? []).filter((word) => word !== '')
      return words.length === 0 && texts.every((text) => text !== undefined)
        ? undefined
        : { value: words, from: found.from }
    },
    missing: (what, fields) => {
      // An unresolved reference has none of the fields: the first finding says all.
      if (findings.some(({ id }) => id === 'binding.credhub')) return
      const names = fields.flatMap((field) => FIELD_NAMES[field])
      const there = Object.keys(binding.credentials)
      note(
        'binding.shape',
        `no ${what} in the credentials: looked for ${joinWords(names, 'or')}`,
        `${source} (fields there: ${there.length === 0 ? 'none' : there.join(', ')})`,
        `add ${names[0]} to the credentials; those of a user-provided service are replaced with cf update-user-provided-service ${binding.name} -p '{"${names[0]}": …}'`,
      )
    },
    wrong: ({ from }, expected, got) =>
      note('binding.value', `expected ${expected}, got ${got}`, from, NEW_VALUE),
  }
}

const NEW_VALUE = 'correct it where the credentials are made, then bind the service again'

/** Brokers write null, an empty text or an empty list for what a plan does not have. */
function isAbsent(value: Json | undefined): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
}
