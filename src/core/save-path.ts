import type { Address } from './address.ts'
import type { Secret } from './secret.ts'

/** What a phpredis save_path can say about one server. */
export interface RedisServer extends Address {
  readonly tls: boolean
  readonly user?: string | undefined
  readonly password?: Secret | undefined
}

/** Builds the `session.save_path` that phpredis understands. It holds the password in clear. */
export function redisSavePath(
  server: RedisServer,
  parameters: Readonly<Record<string, string | number>>,
): string {
  const query = [
    ...authParameters(server),
    ...Object.entries(parameters).map(([name, value]) => `${name}=${encode(String(value))}`),
  ]
  // An IPv6 host without brackets: phpredis 5 fails on them, and 6 takes both.
  return `${server.tls ? 'tls' : 'tcp'}://${server.host}:${server.port}?${query.join('&')}`
}

/** phpredis ignores a user in front of the host; `default` is what Redis calls a login without a user. */
function authParameters({ user, password }: RedisServer): string[] {
  if (password === undefined) return []
  const secret = encode(password.reveal())
  if (user === undefined || user === 'default') return [`auth=${secret}`]
  return [`auth[]=${encode(user)}`, `auth[]=${secret}`]
}

/**
 * Percent-encodes everything but `A-Z a-z 0-9 - . _ ~`.
 *
 * phpredis splits the path at blanks and commas before it decodes it, so a raw comma in a password
 * cuts the path in two (phpredis#2905). It decodes form-style, so a raw plus would be a blank.
 */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}
