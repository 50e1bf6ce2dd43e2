import { CANARY, clusterService, type Service } from '../../../lab/bindings.ts'
import { type Case, type Cases, is, OURS, phpWith, WELL } from '../answers.ts'

const USER = serviceWith({ username: 'app', password: CANARY })
const PASSWORD = serviceWith({ password: CANARY })
const OPEN = serviceWith({})
const CLUSTER = clusterService([{ host: '10.0.4.30', port: 6379 }])
/** Without it a cluster is a warning of its own. */
const LOCKING_OFF = { PHP_SESSIONS_HANDLER: 'native', PHP_SESSIONS_LOCKING: 'off' }
const NOPERM_KEY = 'NOPERM this user has no permissions to access one of the keys used as arguments'

function serviceWith(credentials: Readonly<Record<string, string | number>>): Service {
  return { name: 'app-redis-sessions', credentials: { host: '10.0.4.30', port: 6379, ...credentials } }
}

/** A Redis that says this to a login. */
function says(error: string | null, service: Service): Case {
  return { services: [service], answers: { redis: { ...WELL.redis, login: false, error } } }
}

/** A Redis that is good for a login, and is otherwise not as it should be. */
function answers(redis: Partial<typeof WELL.redis>, service: Service = PASSWORD): Case {
  return { services: [service], answers: { redis: { ...WELL.redis, ...redis } } }
}

function refuses(
  service: Service,
  ...commands: readonly (readonly [command: string, error: string])[]
): Case {
  return answers({ commands: commands.map(([command, error]) => ({ command, error })) }, service)
}

const noperm = (command: string) =>
  [command, `NOPERM this user has no permissions to run the '${command.toLowerCase()}' command`] as const

/** What can be wrong at a Redis. */
export const REDIS_CASES: Cases = {
  'a wrong password': says('WRONGPASS invalid username-password pair or user is disabled.', PASSWORD),
  'a user that is not there': says('WRONGPASS invalid username-password pair or user is disabled.', USER),
  'a password that is not needed': says(
    'ERR AUTH <password> called without any password configured',
    PASSWORD,
  ),
  'no password': says('NOAUTH Authentication required.', OPEN),
  'a user where there are none': says("ERR wrong number of arguments for 'auth' command", USER),
  'a user who may not log in': says("NOPERM this user has no permissions to run the 'auth' command", USER),
  'no user, and no permission': says("NOPERM this user has no permissions to run the 'ping' command", OPEN),
  'a connection that breaks': says('read error on connection to 10.0.4.30:6379', PASSWORD),
  'a server without an answer': says(null, OPEN),
  'a Sentinel': answers({ info: { redis_mode: 'sentinel' } }),
  'a node of a cluster': answers({ info: { redis_mode: 'cluster' } }),
  'no cluster': { ...answers({ info: { redis_mode: 'standalone' } }, CLUSTER), env: LOCKING_OFF },
  'a cluster that is down': {
    ...answers({ info: { redis_mode: 'cluster' }, clusterState: 'fail' }, CLUSTER),
    env: LOCKING_OFF,
  },
  'a replica': answers({ role: 'slave', master: '10.0.0.9:6379' }),
  'a replica that says so only when it is written to': answers({
    role: null,
    commands: [{ command: 'SETEX', error: "READONLY You can't write against a read only replica." }],
  }),
  'no such database': answers({ select: 'ERR DB index is out of range' }, serviceWith({ database: 99 })),
  'no permission for scripts': refuses(USER, noperm('EVALSHA'), noperm('EVAL')),
  'no permission for SET': refuses(PASSWORD, noperm('SET')),
  'no permission for the keys': refuses(USER, ['SETEX', NOPERM_KEY]),
  'no permission for the keys on a cluster, with the managed handler': {
    services: [CLUSTER],
    env: { PHP_SESSIONS_HANDLER: 'managed' },
    answers: {
      settings: phpWith({
        auto_prepend_file: is('/run/php-sessions/php-sessions-handler.php', `${OURS}:20`),
      }),
      redis: {
        ...WELL.redis,
        info: { redis_mode: 'cluster' },
        commands: [{ command: 'SETEX', error: NOPERM_KEY }],
      },
    },
  },
  'a full server': refuses(PASSWORD, ['SETEX', "OOM command not allowed when used memory > 'maxmemory'."]),
  'a command that is refused': refuses(PASSWORD, ['EXPIRE', 'ERR unknown command']),
  eviction: answers({
    info: { maxmemory: '104857600', maxmemory_policy: 'allkeys-lru', evicted_keys: '3', used_memory: '1' },
  }),
  'a memory that is almost full': answers({
    info: { maxmemory: '1000', maxmemory_policy: 'noeviction', evicted_keys: '0', used_memory: '950' },
  }),
  'almost all connections in use': answers({ info: { connected_clients: '95', maxclients: '100' } }),
}
