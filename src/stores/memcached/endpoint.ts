import { readUri, type Uri } from '../../core/address.ts'
import type { Sourced } from '../../core/binding.ts'
import { type Credentials, isUnusable, type ListedServer } from '../../core/credentials/credentials.ts'
import type { Endpoint, Server } from '../../core/endpoint.ts'
import { checkListed, portOf, secretOf, uriPart } from '../read-servers.ts'

const DEFAULT_PORT = 11211

/** Reads where the Memcached servers are and how to log in; undefined if the findings have an error. */
export function readMemcachedEndpoint(credentials: Credentials): Endpoint | undefined {
  const uri = readMemcachedUri(credentials)
  const servers = readServers(credentials, uri)
  const user = credentials.text('user') ?? uriPart(uri, (parts) => parts.user)
  const password = credentials.text('password') ?? uriPart(uri, (parts) => parts.password)
  if (user !== undefined && password === undefined)
    credentials.noteMissing('password for the user', ['password'])
  if (user === undefined && password !== undefined) credentials.noteMissing('user for the password', ['user'])
  noteTls(credentials, uri)
  credentials.noteUnread()
  const [first] = servers
  if (isUnusable(credentials) || first === undefined) return undefined
  return {
    topology: { value: servers.length === 1 ? 'single' : 'pool', from: first.from },
    servers,
    tls: { value: false, from: 'php-memcached, which has no TLS' },
    user,
    password: secretOf(password),
    database: undefined,
    ca: undefined,
    clientCertificate: undefined,
    sentinel: undefined,
  }
}

/** Without TLS php-memcached cannot speak to a server that has only that. */
function noteTls(credentials: Credentials, uri: Sourced<Uri> | undefined): void {
  const flag = credentials.flag('tls')
  const scheme = uriPart(uri, (parts) =>
    /^(memcacheds|tls|ssl)$/.test(parts.scheme) ? parts.scheme : undefined,
  )
  const sign = scheme ?? (flag?.value === true ? flag : undefined) ?? credentials.text('ca')
  if (sign === undefined) return
  credentials.note({
    id: 'memcached.tls',
    level: 'error',
    title: 'the binding asks for TLS, and php-memcached has none',
    from: sign.from,
    fix: 'bind a Redis or Valkey, or a Memcached without TLS in a network that you trust',
  })
}

/** Reads `memcached://user:password@host:port`. Text without a scheme is not a URI but a list of servers. */
function readMemcachedUri(credentials: Credentials): Sourced<Uri> | undefined {
  const written = credentials.text('uri')
  if (written === undefined || isListOfUris(written.value)) return undefined
  if (/host\[[^\]]*\]+=[0-9]/.test(written.value)) {
    credentials.noteWrong(
      written,
      'servers as HOST:PORT:WEIGHT with commas between them',
      "weights in Symfony's form",
    )
    return undefined
  }
  if (!written.value.includes('://')) return undefined
  const value = readUri(written.value)
  if (value !== undefined) return { value, from: written.from }
  credentials.noteWrong(written, 'memcached://user:password@host:port', 'text that is not such a URI')
  return undefined
}

/** The `memcache` extension writes `tcp://h1:11211?weight=3, tcp://h2:11211?weight=1`. */
function isListOfUris(text: string): boolean {
  return text.split(/[\s,;]+/).filter((item) => item.includes('://')).length > 1
}

function readServers(credentials: Credentials, uri: Sourced<Uri> | undefined): readonly Sourced<Server>[] {
  const socket = credentials.text('socket') ?? uriPart(uri, memcachedSocketPath)
  if (socket !== undefined)
    return checkListed(credentials, { ...UNLISTED, host: socket.value }, socket.from, DEFAULT_PORT)
  const port = portOf(credentials, credentials.text('port'))
  const listed =
    credentials.servers('servers') ??
    (uri === undefined ? credentials.servers('uri') : serversInUri(uri)) ??
    credentials.servers('host') ??
    credentials.servers('hosts')
  if (listed === undefined || listed.value.length === 0) {
    credentials.noteMissing('servers', ['servers', 'host'])
    return []
  }
  return listed.value.flatMap((server) =>
    checkListed(credentials, server, listed.from, port?.value ?? DEFAULT_PORT),
  )
}

function memcachedSocketPath({ hosts, path }: Uri): string | undefined {
  return path === undefined || hosts.some(({ host }) => host !== undefined) ? undefined : `/${path}`
}

const UNLISTED: ListedServer = { host: undefined, port: undefined, tlsPort: undefined, weight: undefined }

function serversInUri({ value: { hosts, query }, from }: Sourced<Uri>): Sourced<readonly ListedServer[]> {
  const weight = hosts.length === 1 ? query.weight : undefined
  return { value: hosts.map((host) => ({ ...UNLISTED, ...host, weight })), from }
}
