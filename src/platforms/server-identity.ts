import { readHostAndPort, readUri, type Uri } from '../core/address.ts'
import type { Binding } from '../core/binding.ts'
import { type Credentials, readCredentials } from '../core/credentials/credentials.ts'
import { FIELD_NAMES, type Field } from '../core/credentials/field-names.ts'
import { DEFAULT_USER } from '../core/endpoint.ts'

/** What a binding says about its server, in a form that two bindings can be compared by. */
export interface ServerIdentity {
  /** The place, the login, TLS and everything else that is needed to connect. */
  readonly server: string
  readonly database: string
}

/** The fields that a URI may say as well. */
const IN_URI: readonly Field[] = [
  'host',
  'port',
  'user',
  'password',
  'database',
  'scheme',
  'tls',
  'tlsUri',
  'uri',
  'name',
]

/** Reads what a binding says about its server. Nothing is checked: a malformed value differs from every other. */
export function identifyServer(binding: Binding): ServerIdentity {
  const credentials = readCredentials(binding)
  const text = (field: Field) => credentials.text(field)?.value
  const uri = readUri(text('tlsUri') ?? text('uri') ?? '')
  const user = text('user') ?? uri?.user
  const others = (Object.keys(FIELD_NAMES) as Field[])
    .filter((field) => !IN_URI.includes(field))
    .map((field) => credentials.texts(field).map(({ value }) => value))
  return {
    server: JSON.stringify([
      [...binding.kinds, uri?.scheme].some((word) => /memcache/i.test(word ?? '')),
      placesOf(credentials, uri),
      user === DEFAULT_USER || user === '' ? undefined : user,
      text('password') ?? uri?.password,
      credentials.flag('tls')?.value === true ||
        /^(rediss|valkeys|tls|ssl)/.test(text('scheme') ?? uri?.scheme ?? ''),
      Object.entries(uri?.query ?? {}),
      others,
    ]),
    database: text('database') ?? uri?.path ?? '0',
  }
}

function placesOf(credentials: Credentials, uri: Uri | undefined): readonly string[] {
  const port = credentials.text('port')?.value
  const host =
    credentials.text('host')?.value ?? (uri === undefined ? credentials.text('uri')?.value : undefined)
  const hosts = host === undefined ? (uri?.hosts ?? []) : [readUri(host)?.hosts[0] ?? readHostAndPort(host)]
  return hosts.map((place) => {
    const chosen = port ?? place?.port ?? uri?.hosts[0]?.port ?? '6379'
    return `${place?.host?.toLowerCase()}:${chosen}`
  })
}
