import { onTestFinished } from 'vitest'
import { CANARY, type Service } from '../../../lab/bindings.ts'
import { type Memcached, type MemcachedOptions, startMemcached } from '../../../lab/servers/memcached.ts'
import { memcachedClient } from '../../../lab/servers/memcached-client.ts'

/** The prefix of php-memcached's own keys. */
export const PREFIX = 'memc.sess.key.'

const sasl = { username: 'app', password: CANARY }

/** The ways in which the managed handler speaks to a Memcached, as options of the lab. */
export const MEMCACHED_SERVERS: readonly (readonly [name: string, which: MemcachedOptions])[] = [
  ['meta commands', {}],
  ['the binary protocol', { more: '-B binary' }],
  ['a login (SASL)', { sasl }],
]

/** Starts a Memcached until the test ends, with its service and a client of it. */
export async function startMemcachedService(options: MemcachedOptions = {}) {
  const server = await startMemcached(options)
  onTestFinished(server.stop)
  return { server, ...serviceOf(server, options) }
}

/** What is in the lock of a session; empty without one. */
export async function lockTextOf(
  client: Pick<ReturnType<typeof memcachedClient>, 'get'>,
  id: string,
): Promise<string> {
  return (await client.get(`${PREFIX}lock.${id}`))?.value ?? ''
}

/** The tokens of the requests that wait in a lock. */
export function waitingIn(text: string): readonly string[] {
  const tokens = text.split(' ').slice(1)
  return tokens.filter((token) => !token.startsWith('!') && !tokens.includes(`!${token}`))
}

/** The service of a Memcached at a port, and a client of it. */
export function serviceOf({ port }: Pick<Memcached, 'port'>, options: MemcachedOptions = {}) {
  const credentials = { host: '127.0.0.1', port, ...options.sasl }
  const service: Service = { name: 'memcached-sessions', credentials }
  return { service, client: memcachedClient(port, options) }
}
