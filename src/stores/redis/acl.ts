import type { Endpoint } from '../../core/endpoint.ts'
import type { Handler, Options } from '../../core/options.ts'
import { quoteForRedisCli, words } from '../../core/text.ts'
import { redisKeyPatterns } from './keys.ts'

const NATIVE = words('get set setex expire del exists echo')

// With the commands of the native handler, which a start chooses where the managed one cannot work.
const MANAGED = words(`
  get set setex expire pexpire pttl del exists echo eval evalsha time blpop lpush zadd zcard zrem zremrangebyscore
`)

const ON_CLUSTER = ['cluster|slots', 'asking']

/**
 * The commands that each handler sends: for sessions, locks, strict mode and the check of a kept connection. The
 * scripts use only commands that are in the list.
 *
 * They were read from a server's statistics while sessions did all that PHP can do with them; test/php/acl/handler.test.ts
 * fails if a command is missing or unused.
 */
const COMMANDS: Readonly<Record<Handler, Readonly<Record<'server' | 'cluster', readonly string[]>>>> = {
  native: { server: [...NATIVE, 'eval', 'evalsha'], cluster: [...NATIVE, ...ON_CLUSTER] },
  managed: { server: MANAGED, cluster: [...MANAGED, ...ON_CLUSTER] },
}

/** What `sessions`, `locks` and `copy` send; test/php/acl/operator.test.ts fails if a command is missing or unused. */
const OPERATING = words('scan dbsize strlen get pttl time zcard eval exists del set lpush pexpire')

/**
 * The command that makes a Redis user who can keep these sessions and nothing else.
 *
 * Whoever runs it replaces PASSWORD.
 */
export function redisAcl(endpoint: Endpoint, handler: Handler, options: Options): string {
  const { topology, user } = endpoint
  const commands = COMMANDS[handler][topology.value === 'cluster' ? 'cluster' : 'server']
  return setUser(user?.value ?? 'php-sessions', commands, endpoint, handler, options)
}

/** The same for a user who can do what commands on sessions need; `SCAN` shows the names of all keys. */
export function operatorAcl(endpoint: Endpoint, handler: Handler, options: Options): string {
  const isMoving = options.PHP_SESSIONS_PREVIOUS !== undefined
  const commands = new Set([
    ...OPERATING,
    // What ends where sessions move is taken and released as by a request.
    ...(isMoving ? MANAGED : []),
    ...(endpoint.topology.value === 'cluster' ? ON_CLUSTER : []),
  ])
  return setUser('php-sessions-operator', [...commands], endpoint, handler, options)
}

function setUser(
  user: string,
  ofUser: readonly string[],
  endpoint: Endpoint,
  handler: Handler,
  options: Options,
): string {
  const { topology, database } = endpoint
  const commands = [
    ...ofUser,
    // At startup php-sessions asks the server that the Sentinels name for its role.
    ...(topology.value === 'sentinel' ? ['role'] : []),
    ...(database === undefined || database.value === 0 ? [] : ['select']),
  ]
  const rights = [
    ...redisKeyPatterns(endpoint, handler, options),
    ...commands.map((command) => `+${command}`),
  ]
  return `ACL SETUSER ${quoteForRedisCli(user)} reset on >PASSWORD ${rights.map(quoteForRedisCli).join(' ')}`
}
