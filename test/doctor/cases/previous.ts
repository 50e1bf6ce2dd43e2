import { CANARY, type Service } from '../../../lab/bindings.ts'
import { type Case, type Cases, HANDLER_FILE, phpWith, WELL } from '../answers.ts'

const NEW: Service = {
  name: 'new-redis-sessions',
  credentials: { host: '10.0.4.30', port: 6379, password: CANARY },
}
const OLD: Service = {
  name: 'old-redis-sessions',
  credentials: { host: '10.0.4.9', port: 6379, password: `${CANARY}2` },
}
const OLD_MEMCACHED: Service = {
  name: 'old-memcached-sessions',
  credentials: { host: '10.0.4.41', port: 11211 },
}

/** A move from `old`, whose PHP answers this about it. */
function from(
  old: Service,
  previous: NonNullable<Case['previous']>,
  env: Readonly<Record<string, string>> = {},
): Case {
  return {
    services: [old, NEW],
    env: { PHP_SESSIONS_PREVIOUS: old.name, ...env },
    answers: {
      settings: phpWith({ auto_prepend_file: HANDLER_FILE }),
      session: { ...WELL.session, handler: 'managed' },
    },
    previous,
  }
}

const REFUSED = { network: { servers: [{ state: 'refused' as const, said: 'x (Connection refused)' }] } }
const NO_SCRIPTS = "ERR unknown command 'EVAL', with args beginning with: "

export const PREVIOUS_WELL: Cases = {
  'a previous Redis': from(OLD, {}),
  'local files before, of which only the handler knows': {
    ...from(OLD, {}),
    services: [NEW],
    env: { PHP_SESSIONS_PREVIOUS: '/var/lib/php/sessions' },
  },
}

/** What can be wrong at the store that had the sessions before. */
export const PREVIOUS_CASES: Cases = {
  'the previous store is gone': from(OLD, REFUSED),
  'the previous store is gone, and pages get an empty session': from(OLD, REFUSED, {
    PHP_SESSIONS_ON_STORE_ERROR: 'empty',
  }),
  'a previous Memcached behind an unfit proxy': from(OLD_MEMCACHED, {
    network: { servers: [{ state: 'speaks', milliseconds: 1, hasLogin: false }] },
    memcached: {
      hasPlugin: true,
      servers: [
        {
          ...{ isStored: true, isRead: true, result: 'SUCCESS', itemSize: 1_048_576, evictions: 0 },
          ...{ version: '1.6.18', connections: 3, maxConnections: 1024 },
          handler: { command: 'cas', said: 'ERROR' },
        },
      ],
    },
  }),
  'a previous cluster that is taken for one server': from(OLD, {
    redis: { ...WELL.redis, info: { redis_mode: 'cluster' } },
  }),
  'a previous Redis without scripts': from(OLD, {
    redis: { ...WELL.redis, commands: [{ command: 'EVALSHA', error: NO_SCRIPTS }] },
  }),
  'a previous Redis that evicts': from(OLD, {
    redis: { ...WELL.redis, info: { ...WELL.redis.info, maxmemory_policy: 'allkeys-lru' } },
  }),
  'files that the handler cannot use': {
    ...from(OLD, {}),
    services: [NEW],
    env: { PHP_SESSIONS_PREVIOUS: '/srv/sessions' },
    answers: {
      ...from(OLD, {}).answers,
      previous: { failure: 'the directory /srv/sessions cannot be used' },
    },
  },
}
