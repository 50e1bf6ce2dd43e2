import { onTestFinished } from 'vitest'
import { CANARY, clusterService, type Service } from '../../../lab/bindings.ts'
import { type ClusterOptions, startRedisCluster } from '../../../lab/redis/cluster.ts'
import type { RedisOptions } from '../../../lab/redis/options.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import type { JsonObject } from '../../../src/core/binding.ts'
import { configure } from './configured.ts'
import type { PhpUnderTest } from './php.ts'

/**
 * Makes the ini text of a start with PHP_SESSIONS_HANDLER=managed, for this service, with these further variables. Waits
 * are no lines of the log: on a busy machine any may be long.
 */
export function configureManaged(
  underTest: PhpUnderTest,
  service: Service,
  env: Readonly<Record<string, string>> = {},
): string {
  return configure(underTest, service, {
    PHP_SESSIONS_HANDLER: 'managed',
    PHP_SESSIONS_SLOW_WAIT: '0',
    ...env,
  }).ini
}

/** The path of the file with the credentials, which such an ini text names. */
export function storeFileOf(ini: string): string {
  return /php_sessions\.store = "(.*)"/.exec(ini)?.[1] ?? ''
}

/** For code on the command line, for which PHP does not run `auto_prepend_file`. */
export const PREPEND = `require ini_get('auto_prepend_file');`

/** Starts a Redis with the canary as its password, until the test ends; its service has these credentials added. */
export async function startRedisService(options: RedisOptions = {}, more: JsonObject = {}) {
  const redis = await startRedis({ password: CANARY, ...options })
  onTestFinished(redis.stop)
  const credentials = { host: redis.host, port: redis.port, password: CANARY, ...more }
  return { redis, nodes: [redis], service: { name: 'redis-sessions', credentials } }
}

/** Starts a Redis Cluster with the canary as its password, until the test ends; gives its service. */
export async function startClusterService(options: ClusterOptions = {}) {
  const cluster = await startRedisCluster({ password: CANARY, ...options })
  onTestFinished(cluster.stop)
  return { cluster, nodes: cluster.nodes, service: clusterService(cluster.nodes) }
}
