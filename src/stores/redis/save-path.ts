import { type Address, isSocket } from '../../core/address.ts'
import type { Secret } from '../../core/secret.ts'

/** How to log in to Redis. */
export interface RedisLogin {
  readonly user: string | undefined
  readonly password: Secret | undefined
}

/** A name and a value of a save_path's query; a value that is undefined is left out. */
export type Parameters = Readonly<Record<string, string | number | undefined>>

/** Builds the `session.save_path` of phpredis' handler for one server. It holds the password in clear. */
export function redisSavePath(
  server: Address & { readonly tls: boolean },
  login: RedisLogin,
  parameters: Parameters,
): string {
  return `${redisAddress(server)}?${query([...authParameters(login), ...Object.entries(parameters)])}`
}

/** An IPv6 host without brackets: phpredis 5 fails on them, and 6 takes both. */
function redisAddress(server: Address & { readonly tls: boolean }): string {
  if (isSocket(server)) return `unix://${server.host}`
  return `${server.tls ? 'tls' : 'tcp'}://${server.host}:${server.port}`
}

/** Builds the one of its handler for Redis Cluster; IPv6 hosts without brackets here, too. */
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

/** phpredis ignores a user in front of the host; `default` is what Redis calls a login without a user. */
function authParameters({ user, password }: RedisLogin): readonly Parameter[] {
  if (password === undefined) return []
  const secret = password.reveal()
  if (user === undefined || user === 'default') return [['auth', secret]]
  return [
    ['auth[]', user],
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
 * phpredis splits the path at blanks and commas before it decodes it, so a raw comma in a password
 * cuts the path in two (phpredis#2905). It decodes form-style, so a raw plus would be a blank.
 */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}
