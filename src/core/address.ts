import { words } from './text.ts'

/**
 * Where a server listens. `host` is a name, an IPv4 address, an IPv6 address without brackets, or the path of a Unix
 * socket, which starts with a slash; the port of a socket is 0.
 */
export interface Address {
  readonly host: string
  readonly port: number
}

/** A host and a port as a URI has them: not yet checked, and either may be missing. */
export interface HostAndPort {
  readonly host: string | undefined
  readonly port: string | undefined
}

/** A URI from a broker, taken apart. Parts that it does not have are undefined. */
export interface Uri {
  readonly scheme: string
  readonly user: string | undefined
  readonly password: string | undefined
  /** At least one; several if commas separate them. */
  readonly hosts: readonly HostAndPort[]
  /** Without the leading slash. */
  readonly path: string | undefined
  readonly query: Readonly<Record<string, string>>
  readonly fragment: string | undefined
}

/**
 * Reads `scheme://user:password@host:port,host:port/path?name=value#fragment` and some dialects of it; undefined
 * for anything else.
 *
 * Some brokers write a raw `@`, `/`, `?` or `#` into the password, so the last `@` ends the user information. User
 * information without a colon is a password, as in Redis charts. A percent sign that does not start an escape is
 * an ordinary character, and a plus sign never means a blank.
 */
export function readUri(text: string): Uri | undefined {
  const match =
    /^([a-z][a-z0-9+.-]*):\/\/(?:(.*)@)?([^/?#@]*)(?:\/([^?#]*))?(?:\?([^#]*))?(?:#(.*))?$/is.exec(
      plainUri(text),
    )
  if (match === null) return undefined
  const [, scheme = '', userInfo, authority = '', path, query = '', fragment] = match
  const hosts = authority.split(',').map(readHostAndPort)
  if (!hosts.every((host) => host !== undefined)) return undefined
  const colon = userInfo?.indexOf(':') ?? -1
  const user = colon === -1 ? undefined : userInfo?.slice(0, colon)
  return {
    scheme: scheme.toLowerCase(),
    user: user === undefined ? undefined : decode(user),
    password: userInfo === undefined ? undefined : decode(userInfo.slice(colon + 1)),
    hosts,
    path: path === undefined || path === '' ? undefined : decode(path),
    query: readQuery(query),
    fragment: fragment === undefined || fragment === '' ? undefined : decode(fragment),
  }
}

/** Other forms that people, providers and frameworks use, each with its conversion to a plain URI. */
const DIALECTS: readonly (readonly [form: RegExp, plain: (...groups: string[]) => string])[] = [
  // The redis-cli command that a provider's page shows.
  [
    /^redis-cli\s+(.*?)-u\s+(\S+).*$/s,
    (_, options = '', uri = '') => (options.includes('--tls') ? uri.replace(/^redis:/, 'rediss:') : uri),
  ],
  // Symfony: `redis:user:password@?host[h1:1]&host[h2:2]&dbindex=3`.
  [
    /^([a-z]+):(?!\/)(.*@)?\?(.*)$/is,
    (_, scheme = '', userInfo = '', query = '') => {
      const hosts = [...query.matchAll(/host\[((?:\[[^\]]*\])?[^\]]*)\]/g)].map(([, host]) => host)
      return `${scheme}://${userInfo}${hosts.join(',')}?${query.replace(/host\[[^&]*&?/g, '')}`
    },
  ],
  [/^(unix):(\/[^/].*)$/is, (_, scheme, path) => `${scheme}://${path}`],
  // A list of whole URIs names the nodes of a cluster.
  [
    /^(rediss?):\/\/(.*),\s*\1:\/\/(.*)$/is,
    (all, scheme = '') =>
      `${scheme}+cluster://${all.slice(scheme.length + 3).replace(new RegExp(`,\\s*${scheme}://`, 'gi'), ',')}`,
  ],
  // The form of StackExchange.Redis, which Azure shows: `host:port,password=…,ssl=True,defaultDatabase=0`.
  [
    /^([^=/@]+?),\s*([a-z]+=.*)$/is,
    (_, hosts = '', options = '') => {
      const isTls = /(^|,)\s*ssl\s*=\s*true/i.test(options)
      const query = options
        .split(/,\s*(?=[a-z]+=)/i)
        .map((option) => option.split(/=(.*)/s))
        .map(
          ([name = '', value = '']) =>
            `${name.replace(/^defaultDatabase$/i, 'db')}=${encodeURIComponent(value)}`,
        )
      return `${isTls ? 'rediss' : 'redis'}://${hosts}?${query.join('&')}`
    },
  ],
]

function plainUri(text: string): string {
  const trimmed = text.trim()
  const dialect = DIALECTS.find(([form]) => form.test(trimmed))
  return dialect === undefined ? trimmed : trimmed.replace(...dialect)
}

/** Reads `host` or `host:port`, with an IPv6 host in brackets or bare; either part may be empty. */
export function readHostAndPort(text: string): HostAndPort | undefined {
  const bare = /^[^[\]]*:[^[\]]*:[^[\]]*$/.test(text)
  const match = bare ? [text, text] : /^(\[[^\]]*\]|[^:]*)(?::([^:]*))?$/.exec(text)
  if (match === null) return undefined
  const [, host, port] = match
  return { host: host === '' ? undefined : host, port: port === '' ? undefined : port }
}

function readQuery(text: string): Readonly<Record<string, string>> {
  const pairs = text
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => pair.split(/=(.*)/s))
  return Object.fromEntries(pairs.map(([name = '', value = '']) => [decode(name), decode(value)]))
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/**
 * A host in the form of `Address`; undefined if the text cannot be a host.
 *
 * Hosts go into a save_path unchanged, so characters that would end the host there are refused.
 */
export function readHost(text: string): string | undefined {
  if (NO_HOSTS.includes(text.toLowerCase())) return undefined
  const host = /^\[(.*:.*)\]$/.exec(text)?.[1] ?? text
  if (/^[0-9a-f:.]*:[0-9a-f:.]*(%[a-z0-9._-]+)?$/i.test(host)) return host
  return /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?$/i.test(host) ? host : undefined
}

/** Whether a text is a URI that says by its scheme that it names a store, or a save_path with one. */
export function isStoreUri(text: string): boolean {
  return /^(rediss?|valkeys?|memcached?)([+-][a-z]+)*:(\/\/|.*\?host\[)/i.test(text)
}

/** Placeholders that other programs write instead of a host. */
const NO_HOSTS = words('null undefined none nil nan not-found true false')

/** The path of a Unix socket; undefined if it has a character with a meaning in a save_path. */
export function readSocket(text: string): string | undefined {
  return /^\/[A-Za-z0-9_./@+~-]+$/.test(text) ? text : undefined
}

/** A port between 1 and 65535; undefined if the text cannot be a port. */
export function readPort(text: string): number | undefined {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= 65535 ? port : undefined
}

export function isSocket({ host }: Address): boolean {
  return host.startsWith('/')
}

export function isIpv6({ host }: Address): boolean {
  return host.includes(':')
}

/** Formats an address for people and for lists: an IPv6 host in brackets, a Unix socket as its path. */
export function formatAddress(address: Address): string {
  const { host, port } = address
  if (isSocket(address)) return host
  return isIpv6(address) ? `[${host}]:${port}` : `${host}:${port}`
}
