import { CANARY, clusterService, memcachedService, SESSION_KEY, type Service } from '../../../lab/bindings.ts'
import { type Cases, CLOUD_FOUNDRY, fpmWith, HANDLER_FILE, is, OURS, phpWith, WELL } from '../answers.ts'

const SENTINELS: Service = {
  name: 'app-redis-sessions',
  credentials: { master_name: 'mymaster', sentinels: ['s1:26379', 's2:26379'], password: CANARY },
}
const SPEAKS = { state: 'speaks', milliseconds: 1 } as const
const UNLIMITED = { maxmemory: '0', maxmemory_policy: 'noeviction', used_memory: '1048576' }
const IN_FILES = {
  settings: phpWith(
    { 'session.save_handler': is('files'), 'session.save_path': is('/var/lib/php/sessions') },
    { ours: null },
  ),
  session: { ...WELL.session, handler: 'files' },
}
const IN_MEMCACHED = {
  settings: phpWith({
    'session.save_handler': is('memcached', `${OURS}:4`),
    'session.save_path': is('mc1.example:11211,mc2.example:11211', `${OURS}:6`),
  }),
  network: {
    servers: [
      { ...SPEAKS, address: '10.0.4.41:11211', hasLogin: true },
      { ...SPEAKS, address: '10.0.4.42:11211', hasLogin: true },
    ],
  },
  memcached: {
    hasPlugin: true,
    servers: [1, 2].map(() => ({
      ...{ isStored: true, isRead: true, result: 'SUCCESS', itemSize: 1_048_576 },
      ...{ evictions: 0, version: '1.6.18', connections: 3, maxConnections: 1024, handler: null },
    })),
  },
  session: { ...WELL.session, handler: 'memcached' },
}

/** Systems where all is well, and those that keep sessions in files. */
export const WELL_CASES: Cases = {
  'a Redis with a password': {},
  'a Redis that knows users, by name, with TLS': {
    services: [
      {
        name: 'app-redis-sessions',
        credentials: {
          host: 'r.internal',
          port: 6380,
          username: 'app',
          password: CANARY,
          tls: true,
          database: 2,
        },
      },
    ],
    answers: {
      network: { servers: [{ ...SPEAKS, address: '[fd00::30]:6380' }] },
      redis: { ...WELL.redis, info: { redis_version: '7.2.4', valkey_version: '8.0.1', ...UNLIMITED } },
    },
  },
  'a Redis without a password, of which INFO may not be asked': {
    services: [{ name: 'app-redis-sessions', credentials: { host: '10.0.4.30', port: 6379 } }],
    answers: { redis: { ...WELL.redis, role: null, info: {} } },
  },
  'a Redis Cluster, with the native handler': {
    env: { PHP_SESSIONS_HANDLER: 'native' },
    services: [
      clusterService([
        { host: '10.0.4.30', port: 6379 },
        { host: '10.0.4.31', port: 6379 },
      ]),
    ],
    answers: {
      network: { servers: [SPEAKS, SPEAKS] },
      redis: { ...WELL.redis, info: { redis_mode: 'cluster' }, clusterState: 'ok' },
      session: { ...WELL.session, handler: 'rediscluster', isLocked: false },
    },
  },
  'Sentinels, with the managed handler': {
    services: [SENTINELS],
    answers: {
      settings: phpWith({
        auto_prepend_file: HANDLER_FILE,
      }),
      session: { ...WELL.session, handler: 'managed' },
      network: { servers: [{ ...SPEAKS, address: '10.0.0.9:6390' }] },
    },
  },
  'the managed handler, in php-fpm on Cloud Foundry': {
    env: { ...CLOUD_FOUNDRY, PHP_SESSIONS_HANDLER: 'managed', CF_INSTANCE_INDEX: '1' },
    answers: {
      settings: fpmWith({
        auto_prepend_file: HANDLER_FILE,
      }),
      session: { ...WELL.session, handler: 'managed' },
    },
  },
  'sessions are encrypted': {
    env: { PHP_SESSIONS_ENCRYPTION_KEY: SESSION_KEY },
    answers: {
      settings: phpWith({
        auto_prepend_file: HANDLER_FILE,
      }),
      session: {
        ...WELL.session,
        handler: 'managed',
        stored: { isThere: true, isNamed: false, isClear: false },
      },
    },
  },
  'a php-fpm that ends requests': {
    pools: ['listen', 'request_terminate_timeout'].map((name) => ({
      ...{ pool: 'www', kind: '', name, value: '90s', from: '/etc/php/8.4/fpm/pool.d/www.conf:41' },
    })),
  },
  'a .htaccess where php-fpm serves the app': {
    files: { '/app/.htaccess': 'php_value session.save_handler files\n' },
    answers: { settings: fpmWith({}) },
  },
  'a .user.ini where Apache serves the app': {
    files: { '/app/.user.ini': 'session.save_handler = files\n' },
    answers: { settings: { ...phpWith({}), isApache: true } },
  },
  'a Memcached pool with a login': { services: [memcachedService], answers: IN_MEMCACHED },
  'one Memcached that tells nothing': {
    services: [{ name: 'app-memcached-sessions', credentials: { host: '10.0.4.41', port: 11211 } }],
    answers: {
      ...IN_MEMCACHED,
      network: { servers: [{ ...SPEAKS, hasLogin: false }] },
      memcached: {
        servers: [
          {
            ...{ isStored: true, isRead: false, result: 'SUCCESS', itemSize: null },
            ...{ evictions: null, version: null, connections: null, maxConnections: null, handler: null },
          },
        ],
      },
    },
  },
  'one Memcached with the managed handler': {
    services: [{ name: 'app-memcached-sessions', credentials: { host: '10.0.4.41', port: 11211 } }],
    env: { PHP_SESSIONS_HANDLER: 'managed' },
    answers: {
      ...IN_MEMCACHED,
      settings: phpWith({
        'session.save_handler': is('memcached', `${OURS}:4`),
        'session.save_path': is('10.0.4.41:11211', `${OURS}:6`),
        auto_prepend_file: HANDLER_FILE,
      }),
      network: { servers: [{ ...SPEAKS, hasLogin: false }] },
      memcached: {
        ...IN_MEMCACHED.memcached,
        servers: IN_MEMCACHED.memcached.servers
          .slice(1)
          .map((server) => ({ ...server, handler: { command: null, said: '' } })),
      },
      session: { ...WELL.session, handler: 'managed' },
    },
  },
  'nothing is bound': { services: [], answers: IN_FILES },
  'the first instance on Cloud Foundry, with sessions in files': {
    services: [],
    env: { ...CLOUD_FOUNDRY, CF_INSTANCE_INDEX: '0' },
    answers: {
      ...IN_FILES,
      settings: phpWith(
        { 'session.save_handler': is('files'), 'session.name': is('JSESSIONID') },
        { ours: null },
      ),
    },
  },
}
