import { CANARY, clusterService, type Service } from '../../../lab/bindings.ts'
import { checks } from '../../../src/doctor/checks/index.ts'
import { selectChecks } from '../../../src/doctor/run.ts'
import { type Case, type Cases, HANDLER_FILE, phpWith, WELL } from '../answers.ts'

const USER = serviceWith({ username: 'app', password: CANARY })
const PASSWORD = serviceWith({ password: CANARY })
const OPEN = serviceWith({})
const CLUSTER = clusterService([{ host: '10.0.4.30', port: 6379 }])
/** Without it a cluster is a warning of its own. */
const LOCKING_OFF = { PHP_SESSIONS_HANDLER: 'native', PHP_SESSIONS_LOCKING: 'off' }
const WITH_MANAGED = { env: { PHP_SESSIONS_HANDLER: 'managed' } }
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

const { commands: _, ...REACHED } = WELL.redis

/** A Redis with which the probe did not come to the end of the commands. */
function stopsWith(redis: Partial<typeof WELL.redis>, service: Service = PASSWORD): Case {
  return { services: [service], answers: { redis: { ...REACHED, ...redis } } }
}

function stops(redis: Partial<typeof WELL.redis>, command: string, isSilent: boolean, said = ''): Case {
  return stopsWith({ ...redis, broken: { command, isSilent, said } })
}

function stoppedAt(redis: Partial<typeof WELL.redis>, sending: string): Case {
  return stopsWith({ ...redis, sending })
}

/** What can be wrong at a Redis. */
export const REDIS_CASES: Cases = {
  'a wrong password': says('WRONGPASS invalid username-password pair or user is disabled.', PASSWORD),
  'a user that is not there': says('WRONGPASS invalid username-password pair or user is disabled.', USER),
  'a password that is not needed': says(
    'ERR AUTH <password> called without any password configured',
    PASSWORD,
  ),
  'no answer to AUTH': says('', PASSWORD),
  'no password': says('NOAUTH Authentication required.', OPEN),
  'a user where there are none': says("ERR wrong number of arguments for 'auth' command", USER),
  'a user who may not log in': says("NOPERM this user has no permissions to run the 'auth' command", USER),
  'no user, and no permission': says("NOPERM this user has no permissions to run the 'ping' command", OPEN),
  'a connection that breaks': says('read error on connection to 10.0.4.30:6379', PASSWORD),
  'a server without an answer': says(null, OPEN),
  'a login that is accepted and asked for again': says('NOAUTH Authentication required.', PASSWORD),
  'a server that is still loading': says('LOADING Redis is loading the dataset in memory', PASSWORD),
  'a server that closes at AUTH': stops({ login: null }, 'AUTH', false, 'read error on connection'),
  'a server that does not answer AUTH': stops({ login: null }, 'AUTH', true),
  'a server that was still to answer AUTH': stoppedAt({ login: null }, 'AUTH'),
  'a server that closes at EVAL': stops({}, 'EVAL', false, 'read error on connection'),
  'a server that does not answer EVAL': stops({}, 'EVAL', true),
  'a server that was still to answer EVAL': stoppedAt({}, 'EVAL'),
  'another protocol at EVAL': stops({}, 'EVAL', false, "protocol error, got 'H' as reply type byte"),
  'a cluster that phpredis cannot use': {
    ...stopsWith(
      { info: { redis_mode: 'cluster' }, error: "Couldn't map cluster keyspace using any provided seed" },
      CLUSTER,
    ),
    env: LOCKING_OFF,
  },
  'no scripts': refuses(PASSWORD, ['EVAL', "ERR unknown command 'EVAL'"]),
  'no scripts, with the managed handler': {
    ...refuses(PASSWORD, ['EVALSHA', 'ERR unsupported command']),
    ...WITH_MANAGED,
    checks: selectChecks(checks, ['redis.commands']),
  },
  'a value that is not there': answers({ commands: [{ command: 'GET', error: '', answer: 'null' }] }),
  'too few replicas': refuses(PASSWORD, ['SETEX', 'NOREPLICAS Not enough good replicas to write.']),
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
        auto_prepend_file: HANDLER_FILE,
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
