import { describe, expect, test } from 'vitest'
import { CANARY, redisService, SESSION_KEY, type Service, vcapServices } from '../../lab/bindings.ts'
import { main } from '../../src/cli/main.ts'
import type { PoolLine } from '../../src/php/answers.ts'
import { previousPart } from '../../src/plan/previous.ts'
import { stores } from '../../src/stores/index.ts'
import { memcached } from '../../src/stores/memcached/memcached.ts'
import { redis } from '../../src/stores/redis/redis.ts'
import { HANDLER_TEXT } from '../support/handler-text.ts'
import { fakeHost } from '../support/host/fake-host.ts'
import { type FakeAnswers, fakePhp } from '../support/host/fake-php.ts'
import { FPM, poolFiles } from '../support/pools.ts'

/** What a PHP says, and the pools of its php-fpm. */
type Answer = NonNullable<FakeAnswers['look-around']> & { readonly pools?: readonly PoolLine[] }

const line = (name: string, value: string, from = '/etc/php/conf.d/app.ini:7') => ({ name, value, from })
const pool = (kind: string, name: string, value: string) => ({
  ...line(name, value, '/etc/php/pool.d/www.conf:9'),
  kind,
  pool: 'www',
})
const PHP: Answer = { versionId: 80405, phpredis: '6.2.0', loaded: ['redis'] }
const DIRECTORY = '/tmp/php-sessions-unique'

/** What `exec` said and wrote, with the managed handler wanted. */
function start(
  answer: Answer,
  files: Readonly<Record<string, string>> = {},
  services: readonly Service[] = [redisService],
  more: Readonly<Record<string, string>> = {},
) {
  const env = { PHP_SESSIONS_HANDLER: 'managed', VCAP_SERVICES: vcapServices(...services), ...more }
  const { pools = [], ...said } = answer
  const php = fakePhp({ 'look-around': { ...PHP, fpm: FPM, ...said } })
  const host = fakeHost(env, { ...poolFiles(pools), ...files }, php)
  let ini = ''
  const supervise = () => {
    ini = host.files.get(`${DIRECTORY}/00-php-sessions.ini`) ?? ''
    return 0
  }
  const server = Object.keys(files).some((path) => path.endsWith('.htaccess'))
    ? 'apache2-foreground'
    : 'php-fpm'
  const status = main({ ...host, supervise }, ['exec', '--app', '/app', '--', server])
  return { status, err: host.output.err, ini }
}

const OBSTACLES: Readonly<Record<string, readonly [Answer, Readonly<Record<string, string>>?]>> = {
  'a prepended file in an ini file of the app': [
    { lines: [line('auto_prepend_file', '/app/x.php', '/app/ini/x.ini:1')] },
  ],
  'a prepended file in a pool': [{ pools: [pool('php_value', 'auto_prepend_file', '/app/x.php')] }],
  'no prepended file in a pool': [{ pools: [pool('php_admin_value', 'auto_prepend_file', 'none')] }],
  'a prepended file in .user.ini': [{}, { '/app/.user.ini': 'auto_prepend_file = wordfence-waf.php\n' }],
  'a prepended file in .user.ini, deep below': [
    {},
    { '/app/a/b/c/.user.ini': 'auto_prepend_file = x.php\n' },
  ],
  'a prepended file in .htaccess, deep below': [
    {},
    { '/app/a/b/.htaccess': '<IfModule mod_php.c>\n  php_value auto_prepend_file "x.php"\n</IfModule>\n' },
  ],
  'a save handler that a pool fixes': [{ pools: [pool('php_admin_value', 'session.save_handler', 'redis')] }],
  'another save handler in a pool': [
    {
      pools: [
        pool('php_value', 'session.save_handler', 'files'),
        pool('php_value', 'session.save_path', '/tmp'),
      ],
    },
  ],
  'another save handler in .user.ini': [{}, { '/app/public/.user.ini': 'session.save_handler = "files"\n' }],
  'uploads that are watched, with the fix of CVE-2026-115560': [
    { lines: [line('session.upload_progress.enabled', 'On')], locksSettings: true },
  ],
  'uploads that a pool watches': [
    { pools: [pool('php_flag', 'session.upload_progress.enabled', 'on')], locksSettings: true },
  ],
  'uploads that are watched without a line': [{ locksSettings: true }],
  'a function that the handler calls is disabled': [
    { lines: [line('disable_functions', 'exec, passthru,SESSION_SET_SAVE_HANDLER')] },
  ],
  'such a function is disabled in a pool': [
    { pools: [pool('php_admin_value', 'disable_functions', 'exec,ini_get')] },
  ],
  'open_basedir in an ini file': [{ lines: [line('open_basedir', '/app:/usr/share/php')] }],
  'open_basedir in a pool': [{ pools: [pool('php_admin_value', 'open_basedir', '/app/:/tmp/php')] }],
  'open_basedir in .user.ini': [{}, { '/app/.user.ini': 'open_basedir = /app\n' }],
  'a root directory of the pool': [{ pools: [pool('', 'chroot', '/srv/app')] }],
  'a class of the app that extends SessionHandler': [
    {},
    { '/app/src/Sessions.php': '<?php\nfinal class Sessions extends \\SessionHandler\n{\n}\n' },
  ],
  'sessions that start before any file': [{ lines: [line('session.auto_start', 'On')] }],
  'sessions that start before any page of a directory': [
    {},
    { '/app/.user.ini': 'session.auto_start = 1\n' },
  ],
}

describe('what keeps the managed handler from running is known when the app starts', () => {
  test.each(Object.entries(OBSTACLES))('%s', (_what, [answer, files]) => {
    const { status, err, ini } = start(answer, files)
    expect(status).toBe(0)
    expect(err).toMatchSnapshot()
    expect(err).not.toContain(CANARY)
    // PHP's own handler keeps the sessions, and can log in.
    expect(ini).toContain('auth=')
    expect(ini).not.toContain('php_sessions.')
  })
})

describe('these do not', () => {
  const HARMLESS: Readonly<Record<string, readonly [Answer, Readonly<Record<string, string>>?]>> = {
    'nothing special': [{}],
    'a prepended file before the settings of php-sessions': [
      { lines: [line('auto_prepend_file', '/etc/first.php')] },
    ],
    'a prepended file that runs the handler': [
      { lines: [line('auto_prepend_file', '/app/x.php', '/app/x.ini:1')] },
      { '/app/x.php': "<?php require '/d/php-sessions-handler.php';" },
    ],
    'the save handler that php.ini comes with': [{ lines: [line('session.save_handler', 'files')] }],
    'the same save handler in a pool': [{ pools: [pool('php_value', 'session.save_handler', 'redis')] }],
    'watched uploads without the fix': [{ lines: [line('session.upload_progress.enabled', '1')] }],
    'functions that it does not call': [
      { lines: [line('disable_functions', 'exec,passthru,popen,ini,pcntl_fork')] },
    ],
    'open_basedir that has its directory': [{ lines: [line('open_basedir', `/app:${DIRECTORY}/`)] }],
    'open_basedir that has all': [{ pools: [pool('php_admin_value', 'open_basedir', 'none')] }],
    'an empty chroot': [{ pools: [pool('', 'chroot', '')] }],
    'compression, which it reads': [{ lines: [line('redis.session.compression', 'zstd')] }],
    'a session.auto_start that is off': [{ lines: [line('session.auto_start', '0')] }],
    'other settings of a page': [{}, { '/app/.user.ini': 'memory_limit = 1G\n' }],
  }

  test.each(Object.entries(HARMLESS))('%s', (_what, [answer, files]) => {
    const { status, err, ini } = start(answer, files)
    expect(status).toBe(0)
    expect(err).not.toContain('(handler.')
    expect(ini).toContain('php_sessions.store')
    // phpinfo(), ini_get() and PHP's warnings show it.
    expect(ini).not.toMatch(/auth|password/i)
  })
})

const SERVICES: Readonly<Record<string, Service>> = {
  redis: redisService,
  memcached: { name: 'memcached-sessions', credentials: { host: 'mc.example' } },
}

const WORDS = 'array if match for foreach while switch catch isset unset list'.split(' ')
/** Without them the handler does not know whether a pool is full, and says less of itself in its locks. */
const DISPENSABLE = ['fpm_get_status', 'getenv', 'gethostname']

const OLD: Service = { name: 'old', tags: ['redis'], credentials: { host: 'old.example' } }
const OLD_MEMCACHED: Service = { name: 'old', tags: ['memcached'], credentials: { host: 'old.example' } }

interface Use {
  readonly env?: Readonly<Record<string, string>>
  readonly services?: readonly Service[]
  readonly previous?: Parameters<(typeof stores)[number]['managed']['text']>[0]
  /** The functions that it never calls, whatever is in its text. */
  readonly unused: RegExp
}

/** What a handler may be used for, and which functions of its text it does not need for that. */
const USES: Readonly<Record<string, Use>> = {
  'sessions as they are': { unused: /^(sodium_|gz|zstd_|lz4_)/ },
  'sessions that are encrypted': {
    env: { PHP_SESSIONS_ENCRYPTION_KEY: SESSION_KEY },
    unused: /^(gz|zstd_|lz4_)/,
  },
  'sessions that are compressed': {
    env: { PHP_SESSIONS_COMPRESSION: 'gzip' },
    unused: /^(sodium_|zstd_|lz4_)/,
  },
  'sessions that move from files': {
    env: { PHP_SESSIONS_PREVIOUS: 'files' },
    previous: previousPart({ store: undefined, savePath: undefined }),
    unused: /^(sodium_|gz|zstd_|lz4_)/,
  },
  'sessions that move from a Redis': {
    env: { PHP_SESSIONS_PREVIOUS: 'old' },
    services: [OLD],
    previous: redis.managed.previousPart,
    unused: /^(sodium_|gz|zstd_|lz4_)/,
  },
  'sessions that move from a Memcached': {
    env: { PHP_SESSIONS_PREVIOUS: 'old' },
    services: [OLD_MEMCACHED],
    previous: memcached.managed.previousPart,
    unused: /^(sodium_|gz|zstd_|lz4_)/,
  },
}

const [FIRST_USE] = Object.keys(USES)
const OPTIONAL = /^(sodium_|gz|zstd_|lz4_)/

const EACH = stores.flatMap((store) =>
  Object.entries(USES).map(([name, use]) => [store.title, name, store, use] as const),
)

test.each(EACH)(
  'with %s and %s, every function that the handler calls counts where it is disabled, and no other',
  (_store, use, store, { env = {}, services = [], previous, unused }) => {
    const isLater = use !== FIRST_USE
    const base = HANDLER_TEXT[store.name]
    const text = store.managed.text(previous)
    const called = [...text.matchAll(/(?<![\w$>:]|function )([a-z_0-9]+)\(/g)].map(([, name = '']) => name)
    expect(called).toContain('session_set_save_handler')
    const bound = [...services, SERVICES[store.name] ?? redisService]
    const isBlocked = (setting: string, name: string) =>
      start({ lines: [line(setting, name)] }, {}, bound, env).err.includes('(handler.blocked)')
    // What it always calls need not be tried for each use.
    const isUsual = (name: string) => isLater && base.includes(`${name}(`) && !OPTIONAL.test(name)
    for (const name of new Set(called.filter((name) => !isUsual(name)))) {
      if (WORDS.includes(name)) continue
      const isNeeded = !DISPENSABLE.includes(name) && !unused.test(name)
      expect({ name, isBlocked: isBlocked('disable_functions', name) }).toEqual({ name, isBlocked: isNeeded })
    }
    // Another handler calls it.
    const isOfFiles = previous?.open === 'openFiles'
    expect(isBlocked('disable_functions', 'flock')).toBe(isOfFiles)
    const classes = ['sessionhandlerinterface', 'SessionIdInterface', 'Closure', 'Redis', 'SplFileObject']
    expect(classes.map((name) => isBlocked('disable_classes', name))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ])
  },
)

test.each(stores)('only the session handlers of $title are replaced where a pool sets one', (store) => {
  const blocks = (value: string) => {
    const pools = [pool('php_value', 'session.save_handler', value)]
    return start({ pools }, {}, [SERVICES[store.name] ?? redisService]).err.includes('(handler.blocked)')
  }
  const handlers = ['redis', 'rediscluster', 'memcached', 'files']
  expect(handlers.filter((value) => !blocks(value))).toEqual(store.managed.saveHandlers)
})

describe('a pool that never ends a request is named, below PHP’s own handlers', () => {
  const LISTEN = pool('', 'listen', '/run/php.sock')
  const native = (pools: Answer['pools'], env: Readonly<Record<string, string>> = {}) => {
    const host = fakeHost(
      { VCAP_SERVICES: vcapServices(redisService), ...env },
      poolFiles(pools ?? []),
      fakePhp({ 'look-around': { ...PHP, fpm: FPM } }),
    )
    main(host, ['exec', '--app', '/app', '--', 'php-fpm'])
    return host.output.err
  }
  test('it is said with the line to write', () => expect(native([LISTEN])).toMatchSnapshot())
  test('zero is no limit', () =>
    expect(native([LISTEN, pool('', 'request_terminate_timeout', '0')])).toContain('(php.hanging)'))
  test.each([
    ['with a limit', [LISTEN, pool('', 'request_terminate_timeout', '90s')], {}],
    ['without php-fpm', [], {}],
    [
      'with the managed handler, each of whose answers has a time limit',
      [LISTEN],
      { PHP_SESSIONS_HANDLER: 'managed' },
    ],
    ['without a store', [LISTEN], { VCAP_SERVICES: '{}' }],
  ])('nothing is said %s', (_what, pools, env) => expect(native(pools, env)).not.toContain('(php.hanging)'))
})
