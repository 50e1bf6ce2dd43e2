/** A TCP address; `host` is a name, an IPv4 address or an IPv6 address without brackets. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** A URI such as a broker hands out, taken apart. What is not in it is undefined. */
export interface Uri {
  readonly scheme: string
  readonly user: string | undefined
  readonly password: string | undefined
  readonly host: string | undefined
  readonly port: string | undefined
  /** Without the leading slash. */
  readonly path: string | undefined
}

/**
 * Reads `scheme://user:password@host:port/path`; undefined for anything else.
 *
 * The password may hold a raw `@`, `/`, `?` or `#`, as some brokers write it: the last `@` ends the user
 * information. User information without a colon is a password, as Redis charts write it. A percent sign that
 * starts no escape is taken as it is; a plus sign is never a blank.
 */
export function readUri(text: string): Uri | undefined {
  const match =
    /^([a-z][a-z0-9+.-]*):\/\/(?:(.*)@)?(\[[^\]]*\]|[^:/?#@]*)(?::([^/?#]*))?(?:\/([^?#]*))?/is.exec(
      text.trim(),
    )
  if (match === null) return undefined
  const [, scheme = '', userInfo, host = '', port, path] = match
  const colon = userInfo?.indexOf(':') ?? -1
  const user = colon === -1 ? undefined : userInfo?.slice(0, colon)
  return {
    scheme: scheme.toLowerCase(),
    user: user === undefined ? undefined : decode(user),
    password: userInfo === undefined ? undefined : decode(userInfo.slice(colon + 1)),
    host: host === '' ? undefined : host,
    port: port === '' ? undefined : port,
    path: path === '' ? undefined : path,
  }
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
  const host = /^\[(.*)\]$/.exec(text)?.[1] ?? text
  if (/^[0-9a-f:.]*:[0-9a-f:.]*(%[a-z0-9._-]+)?$/i.test(host)) return host
  return /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?$/i.test(host) ? host : undefined
}

/** A port between 1 and 65535, or undefined where it cannot be one. */
export function readPort(text: string): number | undefined {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= 65535 ? port : undefined
}

/** Writes an address for people and for lists: an IPv6 host in brackets. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
