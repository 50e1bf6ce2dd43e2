import { type Address, formatAddress } from '../../core/address.ts'
import { readCredentials } from '../../core/credentials/credentials.ts'
import { type Endpoint, formatServers } from '../../core/endpoint.ts'
import type { Finding } from '../../core/finding.ts'
import type { Directive } from '../../core/formats/ini.ts'
import type { Options } from '../../core/options.ts'
import { Secret } from '../../core/secret.ts'
import { joinHandler } from '../handler/join.ts'
import { type Configuration, POOL_NAME, type Store, type Surroundings } from '../store.ts'
import { readRedisEndpoint } from './endpoint.ts'
import { redisPart } from './handler/index.ts'
import { redisKeyPrefix } from './keys.ts'
import type { RedisLogin } from './login.ts'
import { describeManaged, manageRedis, previousRedis, redisClient, whyManaged } from './managed.ts'
import { clusterSavePath, type Parameters, redisSavePath } from './save-path.ts'
import { CONNECT_SECONDS, READ_SECONDS, redisLockDirectives } from './timeouts.ts'
import { redisTls } from './tls.ts'

/** Redis and Valkey, through the phpredis extension. */
export const redis: Store = {
  name: 'redis',
  title: 'Redis',
  searchKey: 'REDIS_SESSION_STORE_SERVICE_NAME',
  sessionType: 'php-redis-session',
  kinds: ['redis', 'valkey', 'keyvalue'],
  ports: [6379, 6380, 16379],
  extensions: ['igbinary', 'msgpack', 'redis'],
  endpoint: (binding, options) => {
    const credentials = readCredentials(binding)
    return { value: readRedisEndpoint(credentials, options), findings: credentials.findings }
  },
  keyPrefix: redisKeyPrefix,
  managed: {
    text: (previous) => joinHandler(redisPart, previous),
    previousPart: { files: redisPart.files, open: 'openRedisSessions' },
    saveHandlers: ['redis', 'rediscluster'],
    whyNot: () => undefined,
    why: whyManaged,
    describe: describeManaged,
    previous: previousRedis,
  },
  client: redisClient,
  wantsManaged,
  configure: (endpoint, surroundings) => {
    const { options, php } = surroundings
    const isManaged = wantsManaged(endpoint, options) && php.runsManaged && php.obstacles.length === 0
    const login = isManaged ? NO_LOGIN : endpoint
    const native =
      endpoint.topology.value === 'cluster'
        ? configureCluster(endpoint, login, surroundings)
        : configureServer(endpoint, login, surroundings)
    const chosen = isManaged ? manageRedis(endpoint, surroundings, native) : native
    return { ...chosen, findings: [...chosen.findings, ...databaseFindings(endpoint)] }
  },
}

/**
 * With `auto` where the native handler keeps less than it promises: it has no locks on a cluster, follows no failover, knows
 * of no previous store, and does not encrypt.
 */
function wantsManaged(
  { topology, encryption }: Endpoint,
  { PHP_SESSIONS_HANDLER: wanted, PHP_SESSIONS_PREVIOUS: previous }: Options,
): boolean {
  return (
    wanted === 'managed' ||
    (wanted === 'auto' && (topology.value !== 'single' || previous !== undefined || encryption !== undefined))
  )
}

/**
 * Below the managed handler the path has no login: phpinfo(), ini_get() and PHP's own warnings show it. Where the
 * managed handler is bypassed all the same, the store refuses PHP's own handler, and that is not to be overlooked.
 */
const NO_LOGIN: RedisLogin = { user: undefined, password: undefined }

function whyNoLogin(login: RedisLogin): string {
  return login === NO_LOGIN
    ? ", without the login, which phpinfo() and PHP's own warnings would show; the managed handler has it from its own file"
    : ''
}

const TIMEOUTS =
  'time-outs in seconds, because phpredis would wait a day to connect and a minute to read; persistent connections, because connecting for each request costs a third of the speed, over TLS nine tenths'

function configureServer(endpoint: Endpoint, login: RedisLogin, surroundings: Surroundings): Configuration {
  const { options, php } = surroundings
  const server = endpoint.sentinel === undefined ? endpoint.servers[0]?.value : surroundings.master
  const tls = redisTls(endpoint, server, surroundings)
  return {
    handler: 'native',
    directives: [
      { name: 'session.save_handler', value: 'redis', because: 'a Redis service is bound' },
      ...(server === undefined ? [] : [serverPath(endpoint, server, login, options, tls.parameters)]),
      ...tls.directives,
      {
        name: 'redis.pconnect.pool_pattern',
        value: 'i',
        because:
          "makes persistent_id part of the pool's name: otherwise sessions could use the app's own connections, which may be on another database",
      },
      ...redisLockDirectives(options, php, login === NO_LOGIN && endpoint.password !== undefined),
    ],
    files: tls.files,
    findings: [...tls.findings, ...(options.PHP_SESSIONS_WATCH ? [] : sentinelFindings(endpoint, options))],
    ...(endpoint.sentinel === undefined ? {} : { whyNotStrict: WHY_NOT_STRICT }),
  }
}

const WHY_NOT_STRICT =
  'while a master is being replaced phpredis would treat every session id as unknown and log out whoever visits'

function serverPath(
  endpoint: Endpoint,
  server: Address,
  login: RedisLogin,
  options: Options,
  tls: Parameters,
): Directive {
  const { database } = endpoint
  const path = redisSavePath({ ...server, tls: endpoint.tls.value }, login, {
    timeout: CONNECT_SECONDS,
    read_timeout: READ_SECONDS,
    persistent: 1,
    persistent_id: POOL_NAME,
    database: database?.value === 0 ? undefined : database?.value,
    prefix: options.PHP_SESSIONS_PREFIX,
    ...tls,
  })
  const which = endpoint.sentinel === undefined ? 'server' : `master ${endpoint.sentinel.masterName.value},`
  return {
    name: 'session.save_path',
    value: login === NO_LOGIN ? path : new Secret(path),
    because: `the ${which} ${formatAddress(server)}${whyNoLogin(login)}; ${TIMEOUTS}`,
  }
}

function sentinelFindings({ sentinel }: Endpoint, options: Options): readonly Finding[] {
  if (sentinel === undefined) return []
  return [
    {
      id: 'redis.sentinel',
      level: 'warn',
      title: `php-sessions asks the Sentinels for the master ${sentinel.masterName.value} only at startup: after a failover PHP still uses the old master`,
      from: sentinel.masterName.from,
      fix: `${getManaged(options)}, or set PHP_SESSIONS_WATCH=on: both follow the master; otherwise restart the app after a failover`,
    },
  ]
}

/** How to get the managed handler on a cluster or behind Sentinels, where the native one was taken all the same. */
function getManaged({ PHP_SESSIONS_HANDLER: wanted }: Options): string {
  return wanted === 'native'
    ? 'remove PHP_SESSIONS_HANDLER=native, so that the managed handler keeps the sessions'
    : 'remove what keeps the managed handler from running, which another warning names'
}

function configureCluster(endpoint: Endpoint, login: RedisLogin, surroundings: Surroundings): Configuration {
  const { options } = surroundings
  const tls = redisTls(endpoint, undefined, surroundings)
  const path = clusterSavePath(
    endpoint.servers.map(({ value }) => value),
    endpoint.tls.value,
    login,
    {
      timeout: CONNECT_SECONDS,
      read_timeout: READ_SECONDS,
      persistent: 1,
      failover: 'none',
      prefix: options.PHP_SESSIONS_PREFIX,
      ...tls.parameters,
    },
  )
  return {
    handler: 'native',
    directives: [
      {
        name: 'session.save_handler',
        value: 'rediscluster',
        because: `a Redis Cluster is bound (${endpoint.topology.from}); the handler redis would reach only the sessions on one node`,
      },
      {
        name: 'session.save_path',
        value: login === NO_LOGIN ? path : new Secret(path),
        because: `phpredis finds all nodes through ${formatServers(endpoint)}${whyNoLogin(login)}; ${TIMEOUTS}`,
      },
      {
        name: 'redis.clusters.cache_slots',
        value: false,
        because: 'a worker that remembers which node has which keys may crash when a node dies',
      },
    ],
    files: tls.files,
    findings: [...tls.findings, ...clusterFindings(endpoint, options)],
    whyNotStrict: WHY_NOT_STRICT,
  }
}

function clusterFindings({ topology }: Endpoint, options: Options): readonly Finding[] {
  if (!options.PHP_SESSIONS_LOCKING) return []
  return [
    {
      id: 'redis.cluster',
      level: 'warn',
      title:
        "PHP's handler for Redis Cluster has no locks: parallel requests of one visitor overwrite each other; it also accepts session ids that PHP did not create",
      from: topology.from,
      fix: `${getManaged(options)}: it has locks and strict session ids on a cluster; PHP_SESSIONS_LOCKING=off accepts this and silences the warning`,
    },
  ]
}

function databaseFindings({ topology, database }: Endpoint): readonly Finding[] {
  if (topology.value !== 'cluster' || database === undefined || database.value === 0) return []
  return [
    {
      id: 'redis.database',
      level: 'warn',
      title: `a Redis Cluster has only database 0, not ${database.value}`,
      from: database.from,
      fix: 'set PHP_SESSIONS_PREFIX to keep the sessions of several apps apart',
    },
  ]
}
