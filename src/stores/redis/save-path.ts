import { type Address, isSocket } from '../../core/address.ts'
import type { RedisLogin } from './login.ts'

/** The query of a save_path; undefined values are left out. */
export type Parameters = Readonly<Record<string, string | number | undefined>>

/** Builds the `session.save_path` of phpredis' handler for one server. It holds the password in clear. */
export function redisSavePath(
  server: Address & { readonly tls: boolean },
  login: RedisLogin,
  parameters: Parameters,
): string {
  return `${redisAddress(server)}?${query([...authParameters(login), ...Object.entries(parameters)])}`
}

/** An IPv6 host has no brackets: phpredis 5 fails on them, and phpredis 6 accepts both forms. */
function redisAddress(server: Address & { readonly tls: boolean }): string {
  if (isSocket(server)) return `unix://${server.host}`
  return `${server.tls ? 'tls' : 'tcp'}://${server.host}:${server.port}`
}

/** Builds the `session.save_path` of phpredis' handler for Redis Cluster; IPv6 hosts have no brackets here either. */
export function clusterSavePath(
  seeds: readonly Address[],
  isTls: boolean,
  login: RedisLogin,
  parameters: Parameters,
): string {
  const scheme = isTls ? 'tls://' : ''
  return query([
    ...seeds.map(({ host, port }): Parameter => ['seed[]', `${scheme}${host}:${port}`]),
    ...authParameters(login),
    ...Object.entries(parameters),
  ])
}

type Parameter = readonly [name: string, value: string | number | undefined]

/** The login is in the query because phpredis ignores a user in front of the host. */
function authParameters({ user, password }: RedisLogin): readonly Parameter[] {
  if (password === undefined) return []
  const secret = password.value.reveal()
  if (user === undefined) return [['auth', secret]]
  return [
    ['auth[]', user.value],
    ['auth[]', secret],
  ]
}

function query(parameters: readonly Parameter[]): string {
  return parameters
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encode(String(value))}`)
    .join('&')
}

/**
 * Percent-encodes everything but `A-Z a-z 0-9 - . _ ~`.
 *
 * phpredis splits the path at blanks and commas before it decodes it, so a raw comma in a password would cut the
 * path in two (phpredis#2905). It decodes the path like a form, so a raw plus would become a blank.
 */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}
