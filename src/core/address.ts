/**
 * Where a server listens. `host` is a name, an IPv4 address or an IPv6 address without brackets; one that
 * starts with a slash is the path of a Unix socket, whose port is 0.
 */
export interface Address {
  readonly host: string
  readonly port: number
}

/** A host and a port as a URI has them: not yet checked, either may be missing. */
export interface HostAndPort {
  readonly host: string | undefined
  readonly port: string | undefined
}

/** A URI such as a broker hands out, taken apart. What is not in it is undefined. */
export interface Uri {
  readonly scheme: string
  readonly user: string | undefined
  readonly password: string | undefined
  /** At least one, several where commas separate them. */
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
 * The password may hold a raw `@`, `/`, `?` or `#`, as some brokers write it: the last `@` ends the user
 * information. User information without a colon is a password, as Redis charts write it. A percent sign that
 * starts no escape is taken as it is; a plus sign is never a blank.
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

/** Other ways in which people, providers and frameworks write the same, each made a plain URI. */
const DIALECTS: readonly (readonly [form: RegExp, plain: (...groups: string[]) => string])[] = [
  // The command that a provider's page shows.
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
  // Whole URIs in a row are the nodes of a cluster.
  [
    /^(rediss?):\/\/(.*),\s*\1:\/\/(.*)$/is,
    (all, scheme = '') =>
      `${scheme}+cluster://${all.slice(scheme.length + 3).replace(new RegExp(`,\\s*${scheme}://`, 'gi'), ',')}`,
  ],
  // StackExchange's, as Azure shows it: `host:port,password=…,ssl=True,defaultDatabase=0`.
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

/** Reads `host` or `host:port`, an IPv6 host in brackets or bare; either may be empty. */
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
 * A host as `Address` has it, or undefined where it cannot be one.
 *
 * What is let through goes into a save_path as it is, so nothing is that could end the host there.
 */
export function readHost(text: string): string | undefined {
  if (NO_HOSTS.includes(text.toLowerCase())) return undefined
  const host = /^\[(.*:.*)\]$/.exec(text)?.[1] ?? text
  if (/^[0-9a-f:.]*:[0-9a-f:.]*(%[a-z0-9._-]+)?$/i.test(host)) return host
  return /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?$/i.test(host) ? host : undefined
}

/** What other programs write where they have no host. */
const NO_HOSTS = ['null', 'undefined', 'none', 'nil', 'nan', 'not-found', 'true', 'false']

/** The path of a Unix socket; undefined where it has what a save_path gives a meaning to. */
export function readSocket(text: string): string | undefined {
  return /^\/[A-Za-z0-9_./@+~-]+$/.test(text) ? text : undefined
}

/** A port between 1 and 65535, or undefined where it cannot be one. */
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

/** Writes an address for people and for lists: an IPv6 host in brackets, a Unix socket as its path. */
export function formatAddress(address: Address): string {
  const { host, port } = address
  if (isSocket(address)) return host
  return isIpv6(address) ? `[${host}]:${port}` : `${host}:${port}`
}
