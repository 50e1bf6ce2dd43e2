import { readUri, type Uri } from '../../core/address.ts'
import type { Sourced } from '../../core/binding.ts'
import { type Credentials, isUnusable, type ListedServer } from '../../core/credentials/credentials.ts'
import { checkListed, type Endpoint, portOf, type Server, secretOf, uriPart } from '../../core/endpoint.ts'

const DEFAULT_PORT = 11211

/** Reads where the Memcached servers are and how to log in; undefined where the findings have an error. */
export function readMemcachedEndpoint(credentials: Credentials): Endpoint | undefined {
  const uri = readUriField(credentials)
  const servers = readServers(credentials, uri)
  const user = credentials.text('user') ?? uriPart(uri, (parts) => parts.user)
  const password = credentials.text('password') ?? uriPart(uri, (parts) => parts.password)
  if (user !== undefined && password === undefined) credentials.missing('password for the user', ['password'])
  if (user === undefined && password !== undefined) credentials.missing('user for the password', ['user'])
  const [first] = servers
  if (isUnusable(credentials) || first === undefined) return undefined
  return {
    topology: { value: servers.length === 1 ? 'single' : 'pool', from: first.from },
    servers,
    tls: { value: false, from: 'php-memcached, which has none' },
    user,
    password: secretOf(password),
    database: undefined,
    ca: undefined,
    clientCertificate: undefined,
    sentinel: undefined,
  }
}

/** `memcached://user:password@host:port`; a text without a scheme is a list of servers. */
function readUriField(credentials: Credentials): Sourced<Uri> | undefined {
  const written = credentials.text('uri')
  if (written?.value.includes('://') !== true) return undefined
  const value = readUri(written.value)
  if (value !== undefined) return { value, from: written.from }
  credentials.wrong(written, 'memcached://user:password@host:port', 'a text that is no such URI')
  return undefined
}

function readServers(credentials: Credentials, uri: Sourced<Uri> | undefined): readonly Sourced<Server>[] {
  const socket = credentials.text('socket') ?? uriPart(uri, readSocketPath)
  if (socket !== undefined)
    return checkListed(credentials, { ...UNLISTED, host: socket.value }, socket.from, DEFAULT_PORT)
  const port = portOf(credentials, credentials.text('port'))
  const listed =
    credentials.servers('servers') ??
    (uri === undefined ? credentials.servers('uri') : serversOf(uri)) ??
    credentials.servers('host') ??
    credentials.servers('hosts')
  if (listed === undefined || listed.value.length === 0) {
    credentials.missing('servers', ['servers', 'host'])
    return []
  }
  return listed.value.flatMap((server) =>
    checkListed(credentials, server, listed.from, port?.value ?? DEFAULT_PORT),
  )
}

function readSocketPath({ hosts, path }: Uri): string | undefined {
  return path === undefined || hosts.some(({ host }) => host !== undefined) ? undefined : `/${path}`
}

const UNLISTED: ListedServer = { host: undefined, port: undefined, tlsPort: undefined, weight: undefined }

function serversOf({ value: { hosts }, from }: Sourced<Uri>): Sourced<readonly ListedServer[]> {
  return { value: hosts.map((host) => ({ ...UNLISTED, ...host })), from }
}
