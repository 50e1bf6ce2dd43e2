import { CANARY, clusterService, memcachedService, redisService, SESSION_KEY } from '../../../lab/bindings.ts'
import { checks } from '../../../src/doctor/checks/index.ts'
import { selectChecks } from '../../../src/doctor/run.ts'
import type { SessionAnswer } from '../../../src/php/answers.ts'
import {
  APP_INI,
  type Case,
  type Cases,
  CLOUD_FOUNDRY,
  differs,
  fpmWith,
  HANDLER_FILE,
  is,
  OURS,
  phpWith,
  WELL,
} from '../answers.ts'

const NATIVE = { PHP_SESSIONS_HANDLER: 'native' }

function sessionIs(session: Partial<SessionAnswer>): Case {
  return { answers: { session: { ...WELL.session, ...session } } }
}

const ROUTES = '{"application_uris":["app.example","www.app.example/de"]}'

/** What can be wrong with the binding, the session, its cookie and its secrets, and with the checks themselves. */
export const SESSION_CASES: Cases = {
  'two session stores': { services: [redisService, { ...redisService, name: 'other-redis-sessions' }] },
  'a second instance with sessions in files': { services: [], env: { CF_INSTANCE_INDEX: '2' } },
  'no session': sessionIs({ step: 'start', said: ['session_start(): Failed to initialize storage module'] }),
  'no session, without a reason': sessionIs({ step: 'start', handler: 'user' }),
  'no answer in time': sessionIs({ step: 'start', exitStatus: 137 }),
  'a session that cannot be written': sessionIs({
    step: 'write',
    error: 'RedisException: read error on connection',
    said: ['session_write_close(): Failed to write session data', 'a third text, which is one too many'],
  }),
  'a session that is not found again': sessionIs({ step: 'read', exitStatus: 139 }),
  'a session that a second process does not find': sessionIs({
    step: 'second',
    second: { error: 'RedisException: x', said: ['Failed to read session data'] },
  }),
  'no lock': sessionIs({ isLocked: false }),
  'a lock that keeps nothing': sessionIs({ isKept: false }),
  'no lock of the managed handler': {
    env: { PHP_SESSIONS_HANDLER: 'managed' },
    answers: {
      settings: phpWith({
        auto_prepend_file: HANDLER_FILE,
      }),
      session: { ...WELL.session, isLocked: false, handler: 'managed' },
    },
  },
  'a session in clear, although sessions are to be encrypted': {
    env: { PHP_SESSIONS_ENCRYPTION_KEY: SESSION_KEY },
    answers: {
      settings: phpWith({
        auto_prepend_file: HANDLER_FILE,
      }),
      session: {
        ...WELL.session,
        handler: 'managed',
        stored: { isThere: true, isNamed: true, isClear: true },
      },
    },
  },
  'a lock that is switched off': {
    answers: {
      settings: phpWith({ 'redis.session.locking_enabled': is('0', `${APP_INI}:1`) }),
      session: { ...WELL.session, isLocked: false },
    },
  },
  'a lock of Memcached that is switched off': {
    answers: {
      settings: phpWith({ 'memcached.sess_locking': is('0') }),
      session: { ...WELL.session, handler: 'memcached', isLocked: false },
    },
  },
  'another lifetime than asked for': {
    env: { PHP_SESSIONS_LIFETIME: '3600' },
    answers: { settings: phpWith({ 'session.gc_maxlifetime': is('1440', `${APP_INI}:1`) }) },
  },
  'a cookie that outlives its session': {
    answers: { settings: phpWith({ 'session.cookie_lifetime': is('86400', `${APP_INI}:1`) }) },
  },
  'a cookie that outlives its session on Cloud Foundry': {
    env: CLOUD_FOUNDRY,
    answers: { settings: fpmWith({ 'session.cookie_lifetime': is('86400') }) },
  },
  'a cookie for sticky sessions': {
    env: CLOUD_FOUNDRY,
    answers: { settings: fpmWith({ 'session.name': is('JSESSIONID', `${APP_INI}:1`) }) },
  },
  'strict mode off': {
    answers: { settings: phpWith({ 'session.use_strict_mode': differs('0', `${APP_INI}:4`) }) },
  },
  'strict mode off, as it must be with Sentinels and the native handler': {
    env: NATIVE,
    services: [
      {
        name: 'app-redis-sessions',
        credentials: { master_name: 'm', sentinels: ['s1:26379'], password: CANARY },
      },
    ],
    answers: { settings: phpWith({ 'session.use_strict_mode': is('0', `${OURS}:9`) }) },
  },
  'strict mode off, as it must be on a cluster with the native handler': {
    env: NATIVE,
    services: [clusterService([{ host: '10.0.4.31', port: 7000 }])],
    answers: {
      settings: phpWith({ 'session.use_strict_mode': is('0', `${OURS}:9`) }),
      session: { ...WELL.session, handler: 'rediscluster' },
    },
    checks: selectChecks(checks, ['session.protection']),
  },
  'ids in URLs': {
    answers: {
      settings: phpWith({
        'session.use_only_cookies': is('0', `${APP_INI}:5`),
        'session.use_trans_sid': is('1', `${APP_INI}:6`),
      }),
    },
  },
  'a cookie as PHP makes it by default': {
    answers: {
      settings: phpWith({
        'session.cookie_httponly': is('0'),
        'session.cookie_secure': is('0'),
        'session.cookie_samesite': is('0'),
      }),
    },
  },
  'the same on Cloud Foundry': {
    env: CLOUD_FOUNDRY,
    answers: {
      settings: fpmWith({
        'session.cookie_httponly': is('0'),
        'session.cookie_secure': is('0'),
        'session.cookie_samesite': is('0'),
      }),
    },
  },
  'no cookies': { answers: { settings: phpWith({ 'session.use_cookies': is('0', `${APP_INI}:8`) }) } },
  ...Object.fromEntries(
    ['https://app.example', 'app.example:8080', 'a b', '.10.0.0.1', 'com', '.co.uk'].map((domain) => [
      `a cookie for the domain ${domain}`,
      { answers: { settings: phpWith({ 'session.cookie_domain': is(domain, `${APP_INI}:9`) }) } },
    ]),
  ),
  'a cookie for the domain of another app': {
    env: { VCAP_APPLICATION: ROUTES },
    answers: { settings: fpmWith({ 'session.cookie_domain': is('other.example', `${APP_INI}:9`) }) },
  },
  'a cookie for no path': {
    answers: { settings: phpWith({ 'session.cookie_path': is('0', `${APP_INI}:9`) }) },
  },
  'a cookie for a path that the app does not have': {
    env: { VCAP_APPLICATION: ROUTES },
    answers: { settings: fpmWith({ 'session.cookie_path': is('/shop', `${APP_INI}:9`) }) },
  },
  'short session ids': {
    answers: { settings: phpWith({ 'session.sid_length': is('22', `${APP_INI}:7`) }) },
  },
  'a pool that never ends a request': {
    pools: [
      {
        pool: 'www',
        kind: '',
        name: 'listen',
        value: '9000',
        from: '/etc/php/8.4/fpm/pool.d/www.conf:41',
      },
    ],
  },
  'session.auto_start': {
    answers: { settings: phpWith({ 'session.auto_start': is('1', `${APP_INI}:1`) }) },
  },
  'warnings that visitors see': {
    answers: { settings: phpWith({ display_errors: is('1', `${APP_INI}:1`) }) },
  },
  'warnings that visitors see, as no file says otherwise': {
    answers: { settings: phpWith({ display_errors: is('1') }) },
  },
  'a password that everybody can read': { answers: { settings: phpWith({}, { exposed: [OURS] }) } },
  'a password in the droplet': {
    env: CLOUD_FOUNDRY,
    answers: { settings: fpmWith({}, { exposed: [OURS, APP_INI] }) },
  },
  'a probe that hangs': { silent: { network: 137 } },
  'a probe that dies': { services: [memcachedService], silent: { network: 139 } },
  'a check that breaks down': {
    checks: [
      {
        id: 'a.check',
        meaning: 'does it work?',
        needs: [],
        run: () => {
          throw new TypeError('x is not\na function')
        },
      },
    ],
  },
}
