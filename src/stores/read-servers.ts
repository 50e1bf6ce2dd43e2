import { readHost, readPort, readSocket, type Uri } from '../core/address.ts'
import type { Sourced } from '../core/binding.ts'
import type { Credentials, ListedServer } from '../core/credentials/credentials.ts'
import type { Server } from '../core/endpoint.ts'
import { Secret } from '../core/secret.ts'

/** A value of a URI that is neither missing nor empty, with the URI's provenance. */
export function uriPart(
  uri: Sourced<Uri> | undefined,
  read: (parts: Uri) => string | undefined,
): Sourced<string> | undefined {
  const value = uri === undefined ? undefined : read(uri.value)
  return uri === undefined || value === undefined || value === '' ? undefined : { value, from: uri.from }
}

/** Makes a password a secret. An empty password means that there is none. */
export function secretOf(text: Sourced<string> | undefined): Sourced<Secret> | undefined {
  if (text === undefined || text.value === '') return undefined
  return { value: new Secret(text.value), from: text.from }
}

/** Checks a port from a binding, if there is one. Brokers write 0 for a port that does not exist. */
export function portOf(
  credentials: Credentials,
  port: Sourced<string> | undefined,
): Sourced<number> | undefined {
  const value = port === undefined ? undefined : checkPort(credentials, port)
  return port === undefined || value === undefined ? undefined : { value, from: port.from }
}

/** Checks a server from a list; one without a port gets the given port. Empty when the findings say what is wrong. */
export function checkListed(
  credentials: Credentials,
  { host = '', port, weight }: ListedServer,
  from: string,
  defaultPort: number,
): readonly Sourced<Server>[] {
  const checkedHost = checkHost(credentials, { value: host, from })
  const checkedPort =
    port === undefined ? defaultPort : (checkPort(credentials, { value: port, from }) ?? defaultPort)
  if (weight !== undefined && !/^[0-9]{1,9}$/.test(weight))
    credentials.noteWrong({ value: weight, from }, 'a weight', 'text that is not a whole number')
  if (checkedHost === undefined) return []
  const address = { host: checkedHost, port: checkedHost.startsWith('/') ? 0 : checkedPort }
  return [{ value: weight === undefined ? address : { ...address, weight: Number(weight) }, from }]
}

/** A host, or the path of a Unix socket. */
function checkHost(credentials: Credentials, host: Sourced<string>): string | undefined {
  const value = readSocket(host.value) ?? readHost(host.value)
  if (value === undefined)
    credentials.noteWrong(host, 'a host name or an IP address', showUnlessSecret(host.value, 'neither'))
  return value
}

function checkPort(credentials: Credentials, port: Sourced<string>): number | undefined {
  if (port.value === '0') return undefined
  const value = readPort(port.value)
  if (value === undefined)
    credentials.noteWrong(port, 'a port between 1 and 65535', showUnlessSecret(port.value, 'not a number'))
  return value
}

/** The value may be a password that slipped into the wrong field: it is shown only if it cannot be one. */
function showUnlessSecret(value: string, what: string): string {
  return /^-?[0-9.]{1,12}$/.test(value) ? value : `${value.length} characters that are ${what}`
}
