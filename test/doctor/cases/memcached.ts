import { CANARY, type Service } from '../../../lab/bindings.ts'
import type { MemcachedAnswer } from '../../../src/php/answers.ts'
import type { Case, Cases } from '../answers.ts'

const SERVER = '10.0.4.41:11211'
const LOGIN = { username: 'app', password: CANARY }
const FINE: MemcachedAnswer['servers'][number] = {
  ...{ isStored: true, isRead: true, result: 'SUCCESS', itemSize: 1_048_576 },
  ...{ evictions: 0, version: '1.6.18', connections: 3, maxConnections: 1024, handler: null },
}

/** One Memcached: whether it asks for a login, and what it did with a value. */
function memcachedIs(
  hasLogin: boolean,
  credentials: Readonly<Record<string, string>>,
  server: Partial<typeof FINE>,
  hasPlugin = true,
): Case {
  const service: Service = {
    name: 'app-memcached-sessions',
    credentials: { servers: SERVER, ...credentials },
  }
  return {
    services: [service],
    answers: {
      network: { servers: [{ state: 'speaks', milliseconds: 1, hasLogin }] },
      memcached: { hasPlugin, servers: [{ ...FINE, ...server }] },
    },
  }
}

const REFUSED = { isStored: false, isRead: false, result: 'AUTHENTICATION FAILURE' }

/** What can be wrong at a Memcached. */
export const MEMCACHED_CASES: Cases = {
  'a login that is not needed': memcachedIs(false, LOGIN, { ...REFUSED, result: 'PROTOCOL ERROR' }),
  'no login': memcachedIs(true, {}, REFUSED),
  'no SASL plugin': memcachedIs(true, LOGIN, REFUSED, false),
  'no SASL plugin where SASL_PATH says': {
    ...memcachedIs(true, LOGIN, REFUSED, false),
    env: { SASL_PATH: '/opt/sasl2' },
  },
  'a wrong password': memcachedIs(true, LOGIN, REFUSED),
  'a value that is not kept': memcachedIs(false, {}, { ...REFUSED, result: 'SERVER ERROR' }),
  'small items': memcachedIs(false, {}, { itemSize: 524_288 }),
  'small items, and the managed handler': {
    ...memcachedIs(false, {}, { itemSize: 524_288 }),
    env: { PHP_SESSIONS_HANDLER: 'managed' },
  },
  'a proxy without a command of the managed handler': {
    ...memcachedIs(false, {}, { handler: { command: 'append', said: 'the server closed the connection' } }),
    env: { PHP_SESSIONS_HANDLER: 'managed' },
  },
  evictions: memcachedIs(false, {}, { evictions: 7 }),
  'almost all connections in use': memcachedIs(false, {}, { connections: 830 }),
}
