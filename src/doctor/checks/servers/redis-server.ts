import type { Finding } from '../../../core/finding.ts'
import type { RedisAnswer } from '../../../php/answers.ts'
import type { PlannedStore } from '../../../plan/plan.ts'
import type { Check, CheckOutcome, Context } from '../../check.ts'

export type RedisFound = Omit<Finding, 'from'> | undefined

/** Makes a check of what Redis answers after the login. It does not apply to other stores. */
export function redisCheck(
  rest: Pick<Check, 'id' | 'meaning' | 'needs'>,
  title: (answer: Partial<RedisAnswer>, planned: PlannedStore) => string,
  find: (answer: Partial<RedisAnswer>, planned: PlannedStore, context: Context) => RedisFound,
): Check {
  return {
    ...rest,
    run: (context): CheckOutcome | undefined => {
      const { planned } = context.plan
      if (planned?.store.name !== 'redis') return undefined
      const answer = context.ask('redis')
      const found = find(answer, planned, context)
      const from = planned.endpoint.topology.from
      return { title: title(answer, planned), findings: found === undefined ? [] : [{ ...found, from }] }
    },
  }
}

/** Valkey also reports the Redis version it is compatible with. A user who may not send INFO gets neither. */
function redisTitle({ redis_version: redis, valkey_version: valkey }: RedisAnswer['info']) {
  if (valkey !== undefined) return `Valkey ${valkey}`
  return redis === undefined ? 'Redis' : `Redis ${redis}`
}

/** Whether it is the kind of server that PHP is configured for. */
export const topology = redisCheck(
  {
    id: 'redis.topology',
    meaning: 'is it the configured kind: single, cluster or Sentinel?',
    needs: ['auth.login'],
  },
  ({ info = {} }, { endpoint }) => `${redisTitle(info)}, ${endpoint.topology.value}, as configured`,
  ({ info = {}, role, clusterState, commands = [] }, { endpoint: { topology } }) => {
    const isCluster =
      info.redis_mode === 'cluster' ||
      info.cluster_enabled === '1' ||
      commands.some(({ error }) => /\b(MOVED|ASK) \d/.test(error))
    if (
      info.redis_mode === 'sentinel' ||
      role === 'sentinel' ||
      commands.some(({ error }) => /unknown command .*SETEX/i.test(error))
    )
      return {
        id: 'redis.is-sentinel',
        level: 'error',
        title: 'this is a Sentinel, which knows the master but keeps no sessions',
        fix: 'set PHP_SESSIONS_TOPOLOGY=sentinel and add sentinels and master_name to the credentials, or bind the master itself',
      }
    if (isCluster && topology.value !== 'cluster')
      return {
        id: 'redis.is-cluster',
        level: 'error',
        title:
          'this is a node of a Redis Cluster: used as a single server, it serves only its own part of the sessions (MOVED)',
        fix: 'set PHP_SESSIONS_TOPOLOGY=cluster',
      }
    if (!isCluster && topology.value === 'cluster' && info.redis_mode !== undefined)
      return {
        id: 'redis.not-cluster',
        level: 'error',
        title: 'this is a single server, but PHP is configured for a Redis Cluster',
        fix: 'set PHP_SESSIONS_TOPOLOGY=single',
      }
    if (clusterState === 'fail')
      return {
        id: 'redis.cluster-down',
        level: 'error',
        title: 'the Redis Cluster is down (CLUSTERDOWN): some slots have no node',
        fix: 'run redis-cli --cluster check HOST:PORT to see which; the operator of the service must bring the nodes back',
      }
    return undefined
  },
)

/** Whether the server accepts writes. */
export const role = redisCheck(
  { id: 'redis.role', meaning: 'is it a master, which accepts writes?', needs: ['redis.topology'] },
  ({ role: is }) => (is ? `the server is a ${is}` : 'the server does not report its role'),
  ({ role: is, master, commands = [] }, { endpoint }) => {
    if (endpoint.topology.value === 'cluster') return undefined
    const isReadOnly = commands.some(({ error }) => /\bREADONLY\b/.test(error))
    if (is !== 'slave' && !isReadOnly) return undefined
    return {
      id: 'redis.replica',
      level: 'error',
      title: `this is a replica of ${master ?? 'another server'}: ${isReadOnly ? "READONLY You can't write against a read only replica" : 'writes to it are lost'}`,
      fix: `bind the master${master ? ` ${master}` : ''}, or a name that always leads to the master`,
    }
  },
)

/** Whether the database of the binding exists: if it does not, phpredis 5 silently uses database 0. */
export const database = redisCheck(
  { id: 'redis.select', meaning: 'does the database of the binding exist?', needs: ['redis.topology'] },
  (_, { endpoint }) => `database ${endpoint.database?.value ?? 0} exists`,
  ({ select }, { endpoint }, { quote }) =>
    select === null || select === undefined
      ? undefined
      : {
          id: 'redis.database-missing',
          level: 'error',
          title: `database ${endpoint.database?.value} does not exist: ${quote(select)}`,
          fix: 'put an existing database into the credentials; PHP_SESSIONS_PREFIX also keeps apps apart',
        },
)

/** Whether Redis keeps each session until it expires. */
export const memory = redisCheck(
  { id: 'redis.memory', meaning: 'does Redis keep sessions until they expire?', needs: ['redis.topology'] },
  ({ info }) => describeMemory(info),
  ({ info = {} }, { service }) => {
    const { maxmemory = '0', maxmemory_policy: policy = '', evicted_keys: evicted = '0' } = info
    const evicts = maxmemory !== '0' && !['noeviction', 'volatile-ttl', ''].includes(policy)
    const used = Number(info.used_memory ?? 0) / Number(maxmemory)
    if (evicts || evicted !== '0')
      return {
        id: 'redis.eviction',
        level: 'warn',
        title: `${evicted} keys were evicted since the server started, and maxmemory-policy is ${policy}: users can be logged out when the memory is full`,
        fix: `instead of ${service}, use an instance for sessions only, with maxmemory-policy noeviction or volatile-ttl`,
      }
    if (maxmemory !== '0' && used > 0.9)
      return {
        id: 'redis.almost-full',
        level: 'warn',
        title: `${Math.round(used * 100)} percent of the server's memory is used: when it is full, no more sessions are accepted`,
        fix: `use a larger plan for ${service}, or a shorter PHP_SESSIONS_LIFETIME`,
      }
    return undefined
  },
)

function describeMemory({ maxmemory, maxmemory_policy, used_memory }: RedisAnswer['info'] = {}): string {
  if (maxmemory === undefined) return 'the server does not report its memory'
  const used = maxmemory === '0' ? 'used without a limit' : `of ${megabytes(maxmemory)} used`
  return `${megabytes(used_memory)} ${used}, maxmemory-policy is ${maxmemory_policy}`
}

function megabytes(bytes = '0'): string {
  return `${(Number(bytes) / 1_048_576).toFixed(1)} MB`
}

/** Whether there is room for the connections of all workers. */
export const clients = redisCheck(
  { id: 'redis.connections', meaning: 'is there room for more connections?', needs: ['redis.topology'] },
  ({ info = {} }) =>
    info.maxclients === undefined || info.connected_clients === undefined
      ? 'the server does not report its connections'
      : `${info.connected_clients} of ${info.maxclients} connections are used`,
  ({ info = {} }) => {
    const [connected, most] = [Number(info.connected_clients ?? 0), Number(info.maxclients ?? 0)]
    if (most === 0 || connected < most * 0.8) return undefined
    return {
      id: 'redis.clients',
      level: 'warn',
      title: `${connected} of ${most} connections are used: the server will soon answer ERR max number of clients reached`,
      fix: 'use a plan with more connections, fewer workers of php-fpm (pm.max_children), or fewer instances',
    }
  },
)
