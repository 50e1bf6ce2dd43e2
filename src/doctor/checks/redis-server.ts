import type { Finding } from '../../core/finding.ts'
import { joinWords } from '../../core/text.ts'
import type { RedisAnswer } from '../../php/answers.ts'
import type { PlannedStore } from '../../plan/plan.ts'
import { keyPatterns } from '../../stores/redis/acl.ts'
import type { Check, CheckOutcome, Context } from '../check.ts'

type Found = Omit<Finding, 'from'> | undefined

/** A check of what a Redis says once it has let us in; undefined for every other store. */
function redisCheck(
  rest: Pick<Check, 'id' | 'meaning' | 'needs'>,
  title: (answer: Partial<RedisAnswer>, planned: PlannedStore) => string,
  find: (answer: Partial<RedisAnswer>, planned: PlannedStore, context: Context) => Found,
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

/** Valkey also tells the version of Redis that it is compatible with; neither tells who may not ask. */
function redisTitle({ redis_version: redis, valkey_version: valkey }: RedisAnswer['info']) {
  if (valkey !== undefined) return `Valkey ${valkey}`
  return redis === undefined ? 'Redis' : `Redis ${redis}`
}

/** Whether it is the kind of server that the handler can talk to. */
export const topology = redisCheck(
  {
    id: 'redis.topology',
    meaning: 'is it a server, a cluster or a Sentinel, as was meant?',
    needs: ['auth.login'],
  },
  ({ info = {} }, { endpoint }) => `${redisTitle(info)}, ${endpoint.topology.value}, as was meant`,
  ({ info = {}, clusterState, commands = [] }, { endpoint: { topology } }) => {
    const isCluster =
      info.redis_mode === 'cluster' ||
      info.cluster_enabled === '1' ||
      commands.some(({ error }) => /^MOVED /.test(error))
    if (
      info.redis_mode === 'sentinel' ||
      commands.some(({ error }) => /unknown command .*SETEX/i.test(error))
    )
      return {
        id: 'redis.is-sentinel',
        level: 'error',
        title: 'this is a Sentinel, which keeps no sessions but knows who does',
        fix: 'set PHP_SESSIONS_TOPOLOGY=sentinel and put sentinels and master_name into the credentials, or bind the master itself',
      }
    if (isCluster && topology.value !== 'cluster')
      return {
        id: 'redis.is-cluster',
        level: 'error',
        title:
          'this is a node of a Redis Cluster, and PHP would find only the sessions that it has itself (MOVED)',
        fix: 'set PHP_SESSIONS_TOPOLOGY=cluster',
      }
    if (!isCluster && topology.value === 'cluster' && info.redis_mode !== undefined)
      return {
        id: 'redis.not-cluster',
        level: 'error',
        title: 'this server is no node of a Redis Cluster, which the binding was taken for',
        fix: 'set PHP_SESSIONS_TOPOLOGY=single',
      }
    if (clusterState === 'fail')
      return {
        id: 'redis.cluster-down',
        level: 'error',
        title: 'the Redis Cluster is not whole: CLUSTERDOWN, no node has some of the slots',
        fix: 'redis-cli --cluster check HOST:PORT tells which; the operator of the service must bring the nodes back',
      }
    return undefined
  },
)

/** Whether it takes what is written. */
export const role = redisCheck(
  { id: 'redis.role', meaning: 'is it a master, which can be written to?', needs: ['redis.topology'] },
  ({ role: is }) => `it is a ${is ?? 'server that does not tell its role'}`,
  ({ role: is, master, commands = [] }, { endpoint }) => {
    if (endpoint.topology.value === 'cluster') return undefined
    const isReadOnly = commands.some(({ error }) => error.startsWith('READONLY'))
    if (is !== 'slave' && !isReadOnly) return undefined
    return {
      id: 'redis.replica',
      level: 'error',
      title: `this is a replica of ${master ?? 'another server'}: ${isReadOnly ? "READONLY You can't write against a read only replica" : 'what is written there is lost'}`,
      fix: `bind the master${master === null || master === undefined ? '' : `, ${master}`}, or a name that follows it`,
    }
  },
)

/** Whether the database of the binding is there: phpredis 5 would go on with database 0 without a word. */
export const database = redisCheck(
  { id: 'redis.select', meaning: 'is there the database that the binding names?', needs: ['redis.topology'] },
  (_, { endpoint }) => `database ${endpoint.database?.value ?? 0} is there`,
  ({ select }, { endpoint }) =>
    select === null || select === undefined
      ? undefined
      : {
          id: 'redis.database-missing',
          level: 'error',
          title: `there is no database ${endpoint.database?.value}: ${select}`,
          fix: 'put a database into the credentials that the server has; PHP_SESSIONS_PREFIX keeps apps apart, too',
        },
)

/** Whether the user may send what the session handler sends. */
export const allowedCommands = redisCheck(
  {
    id: 'redis.commands',
    meaning: 'may the user do what sessions need?',
    needs: ['redis.role', 'redis.select'],
  },
  () => 'it takes all that the session handler sends',
  ({ commands: refused = [] }, { endpoint, handler, service }, { options }) => {
    const [first] = refused
    if (first === undefined) return undefined
    const denied = refused.filter(({ error }) => error.includes('NOPERM'))
    if (denied.length > 0) {
      const keys = keyPatterns(endpoint, handler, options)
      return findDenied(denied, endpoint.user?.value ?? 'default', keys)
    }
    if (refused.some(({ error }) => error.startsWith('OOM')))
      return {
        id: 'redis.full',
        level: 'error',
        title: `its memory is full, and it takes nothing more: ${first.error}`,
        fix: `use a larger plan for ${service}, an instance for sessions alone, or a shorter PHP_SESSIONS_LIFETIME`,
      }
    return {
      id: 'redis.refused',
      level: 'error',
      title: `it refuses ${first.command}: ${first.error}`,
      fix: 'see the log of the server',
    }
  },
)

function findDenied(denied: RedisAnswer['commands'], user: string, keys: readonly string[]): Found {
  const isKey = denied.every(({ error }) => /key/i.test(error))
  const names = denied.map(({ command }) => command)
  // The lock is opened by a script, which needs the right to do what it does.
  const rights = names.map((name) => `+${name.toLowerCase()}`).join(' ')
  return {
    id: 'redis.permission',
    level: 'error',
    title: isKey
      ? `user ${user} may not touch the keys of sessions: ${denied[0]?.error}`
      : `user ${user} may not use ${joinWords(names, 'and')}: ${denied[0]?.error}`,
    fix: isKey
      ? `have the keys allowed: ACL SETUSER ${user} ${keys.join(' ')}, or set PHP_SESSIONS_PREFIX to what is allowed`
      : `have it allowed: ACL SETUSER ${user} ${rights}`,
  }
}

/** Whether sessions stay until they are over. */
export const memory = redisCheck(
  { id: 'redis.memory', meaning: 'does it keep sessions until they are over?', needs: ['redis.topology'] },
  ({ info = {} }) =>
    info.maxmemory === undefined
      ? 'it does not tell how much memory it has'
      : `${info.maxmemory_policy}, ${megabytes(info.used_memory)} of ${info.maxmemory === '0' ? 'no limit' : megabytes(info.maxmemory)} used`,
  ({ info = {} }, { service }) => {
    const { maxmemory = '0', maxmemory_policy: policy = '', evicted_keys: evicted = '0' } = info
    const evicts = maxmemory !== '0' && !['noeviction', 'volatile-ttl', ''].includes(policy)
    const used = Number(info.used_memory ?? 0) / Number(maxmemory)
    if (evicts || evicted !== '0')
      return {
        id: 'redis.eviction',
        level: 'warn',
        title: `${evicted} keys evicted since start, maxmemory-policy is ${policy}: users can be logged out when it is full`,
        fix: `use an instance of its own for sessions, with maxmemory-policy noeviction or volatile-ttl, instead of ${service}`,
      }
    if (maxmemory !== '0' && used > 0.9)
      return {
        id: 'redis.almost-full',
        level: 'warn',
        title: `${Math.round(used * 100)} percent of its memory are used; when it is full it takes no more sessions`,
        fix: `use a larger plan for ${service}, or a shorter PHP_SESSIONS_LIFETIME`,
      }
    return undefined
  },
)

function megabytes(bytes = '0'): string {
  return `${(Number(bytes) / 1_048_576).toFixed(1)} MB`
}

/** Whether there is room for the connections of all workers. */
export const clients = redisCheck(
  { id: 'redis.connections', meaning: 'is there room for more connections?', needs: ['redis.topology'] },
  ({ info = {} }) => `${info.connected_clients ?? '?'} of ${info.maxclients ?? '?'} connections are used`,
  ({ info = {} }) => {
    const [connected, most] = [Number(info.connected_clients ?? 0), Number(info.maxclients ?? 0)]
    if (most === 0 || connected < most * 0.8) return undefined
    return {
      id: 'redis.clients',
      level: 'warn',
      title: `${connected} of ${most} connections are used: soon it will say ERR max number of clients reached`,
      fix: 'use a plan with more connections, fewer workers of php-fpm (pm.max_children), or fewer instances',
    }
  },
)
