import { expect, test } from 'vitest'
import {
  CANARY,
  memcachedService,
  redisService,
  SESSION_KEY,
  type Service,
  vcapServices,
} from '../../lab/bindings.ts'
import { main } from '../../src/cli/main.ts'
import { differs, is, phpWith } from '../doctor/answers.ts'
import { fakeHost } from '../support/host/fake-host.ts'
import { fakePhp } from '../support/host/fake-php.ts'
import { BROKER_SHAPES, FIELD_SHAPES, inVcapServices } from '../support/values/shapes.ts'

const PHP = { versionId: 80401, phpredis: '6.2.0', loaded: ['redis', 'memcached'] }

function explain(
  services: readonly Service[],
  flags: readonly string[] = [],
  env: Record<string, string> = {},
  files: Record<string, string> = {},
) {
  const variables = { VCAP_APPLICATION: '{}', VCAP_SERVICES: vcapServices(...services), ...env }
  const host = fakeHost(variables, files, fakePhp({ 'look-around': PHP }))
  return { status: main(host, ['explain', '--app', '/app', ...flags]), ...host.output }
}

const sentinels: Service = {
  name: 'app-redis-sessions',
  label: 'p.redis',
  credentials: {
    master_name: 'redis-master',
    sentinels: [{ host: 's1', port: 26379, tls_port: 26380 }],
    password: CANARY,
    sentinel_password: CANARY,
    tls_port: 16379,
  },
}

test.each<[string, readonly Service[]]>([
  ['Redis beside others', [{ ...redisService, name: 'my-cache' }, redisService, memcachedService]],
  ['Sentinels, whom it does not ask', [sentinels]],
  ['a Memcached pool', [memcachedService]],
  ['nothing', []],
  ['credentials that cannot be used', [{ ...redisService, credentials: { password: CANARY } }]],
])('says what was decided and why: %s', (_name, services) => {
  const said = explain(services)
  expect(said).toMatchSnapshot()
  expect(said.out + said.err).not.toContain(CANARY)
})

test('with the managed handler it says what that is, and where the app bypasses it', () => {
  const managed = { PHP_SESSIONS_HANDLER: 'managed' }
  const said = explain([sentinels], [], managed, {
    '/app/public/.htaccess': 'php_value auto_prepend_file "/app/x.php"\n',
  })
  expect(said).toMatchSnapshot()
  expect(said.out + said.err).not.toContain(CANARY)
  const later = { '/app/.bp-config/php/php.ini.d/mine.ini': 'auto_prepend_file = /app/x.php\n' }
  for (const [files, isBypassed] of [
    [later, true],
    [{ ...later, '/app/x.php': "<?php require 'php-sessions-handler.php';" }, false],
    [{ '/app/.user.ini': 'auto_prepend_file = none' }, true],
    [{ '/app/.user.ini': 'memory_limit = 1G' }, false],
  ] as const)
    expect({
      files,
      isBypassed: explain([redisService], [], managed, files).out.includes('(handler.bypassed)'),
    }).toEqual({
      files,
      isBypassed,
    })
  const isLocking = (env: Record<string, string>) =>
    explain([redisService], [], env).out.includes('take turns')
  expect([isLocking(managed), isLocking({ ...managed, PHP_SESSIONS_LOCKING: 'off' })]).toEqual([true, false])
  expect(JSON.parse(explain([redisService], ['--json'], managed).out)).toMatchObject({ handler: 'managed' })
  expect(JSON.parse(explain([memcachedService], ['--json'], managed).out)).toMatchObject({
    handler: 'native',
    findings: [{ id: 'handler.native', level: 'warn' }],
  })
})

test('with a key it says how sessions are encrypted, and what bypasses that, and nothing of the key', () => {
  const credentials = { host: 'h', session_encryption_key: SESSION_KEY }
  const bound = { ...redisService, credentials }
  const lines = (env: Record<string, string>, services: readonly Service[] = [redisService]) =>
    explain(services, [], env).out.match(/^.*(encrypt|compress).*$/gm)
  expect([
    lines({ PHP_SESSIONS_ENCRYPTION_KEY: SESSION_KEY }),
    lines({ PHP_SESSIONS_ENCRYPTION_KEY: `plain,${SESSION_KEY}`, PHP_SESSIONS_COMPRESSION: 'zstd' }),
    lines({}, [bound]),
    lines({ PHP_SESSIONS_ENCRYPTION_KEY: SESSION_KEY, PHP_SESSIONS_HANDLER: 'native' }),
  ]).toMatchSnapshot()
  const json = explain([bound], ['--json'])
  expect(JSON.parse(json.out).provenance.encryption).toMatch(/credentials\.session_encryption_key$/)
  const later = { '/app/.bp-config/php/php.ini.d/mine.ini': 'auto_prepend_file = /app/x.php\n' }
  const bypassed = explain([bound], [], {}, later)
  expect(bypassed.out).toContain('has no server here, and no session can start')
  for (const { out, err } of [json, bypassed]) expect(out + err).not.toContain(SESSION_KEY)
})

test.each([
  ['as PHP makes it by default', {}],
  [
    'protected',
    {
      'session.cookie_httponly': is('1'),
      'session.cookie_secure': is('1'),
      'session.cookie_samesite': is('Strict'),
      'session.cookie_lifetime': is('3600'),
      'session.cookie_domain': is('app.example'),
    },
  ],
  ['another name in a pool', { 'session.name': differs('SID', '/etc/php/8.4/conf.d/99-app.ini:3') }],
  ['none at all', { 'session.use_cookies': is('0') }],
])("what the app's cookie will look like: %s", (_name, settings) => {
  const bare = Object.fromEntries(
    ['httponly', 'secure', 'samesite', 'lifetime'].map((name) => [`session.cookie_${name}`, is('0')]),
  )
  const php = fakePhp({ settings: phpWith({ ...bare, ...settings }) })
  const host = fakeHost({ VCAP_SERVICES: vcapServices(redisService) }, {}, php)
  main(host, ['explain', '--app', '/app'])
  expect(/\nSession cookie\n(?: .*\n)*/.exec(host.output.out)?.[0] ?? '').toMatchSnapshot()
  const json = fakeHost({ VCAP_SERVICES: vcapServices(redisService) }, {}, php)
  main(json, ['explain', '--app', '/app', '--json'])
  expect(JSON.parse(json.output.out).cookie).toMatchSnapshot()
})

test('the last line says so where PHP does not read the settings yet', () => {
  const lastLine = (ours: string | null, services: readonly Service[] = [redisService]) => {
    const php = fakePhp({ settings: phpWith({}, { ours }) })
    const host = fakeHost({ VCAP_SERVICES: vcapServices(...services) }, {}, php)
    main(host, ['explain', '--app', '/app'])
    return host.output.out.trimEnd().split('\n').at(-1)
  }
  const unread = '; PHP 8.4.1 does not read these settings yet.'
  expect(lastLine(null)).toContain(unread)
  expect(lastLine('/etc/php/8.4/conf.d/00-php-sessions.ini')).not.toContain(unread)
  expect(lastLine(null, [])).not.toContain(unread)
})

test('the JSON has what design and schema promise, secrets as null', () => {
  const { out } = explain([redisService, memcachedService], ['--json'])
  expect(JSON.parse(out)).toMatchSnapshot()
  expect(out).not.toContain(JSON.stringify(CANARY).slice(1, -1))
})

test("the app's own settings win, and the framework that ignores PHP's handler is named", () => {
  const files = {
    '/app/.bp-config/php/php.ini.d/mine.ini': 'session.name = MINE\nsession.save_path = /tmp\n',
    '/app/composer.lock': '{"packages": [{"name": "laravel/framework", "version": "v10.48.4"}]}',
  }
  const { out } = explain([redisService], [], {}, files)
  expect(out).toContain('session.name = MINE  from /app/.bp-config/php/php.ini.d/mine.ini:1\n')
  expect(out).toContain('session.save_path = /tmp  from /app/.bp-config/php/php.ini.d/mine.ini:2\n')
  expect(out).toContain(
    'every start sets these variables, because the app does not:\n  SESSION_DRIVER = redis',
  )
  expect(out).toContain('REDIS_PASSWORD = ••••')
  expect(out).not.toContain('framework.ignores')
  const off = explain([redisService], [], { PHP_SESSIONS_FRAMEWORK: 'off' }, files)
  expect(off.out).toContain('(framework.ignores)')
})

test('--acl prints the line alone on stdout, or says why there is none', () => {
  expect(explain([redisService], ['--acl', '--operator'])).toMatchSnapshot()
  expect(explain([redisService], ['--acl'])).toMatchSnapshot()
  expect(explain([memcachedService], ['--acl'])).toMatchSnapshot()
  expect(explain([redisService], ['--acl'], { PHP_SESSIONS_HANDLER: 'managed' })).toMatchSnapshot()
})

test('no secret of any shape is in what it says', () => {
  for (const shape of [...BROKER_SHAPES, ...FIELD_SHAPES]) {
    const host = fakeHost(inVcapServices(shape).env)
    main(host, ['explain'])
    main(host, ['explain', '--json'])
    const secret = shape.expect?.password
    // Some fixtures have a word for a password that messages have, too.
    if (typeof secret !== 'string' || secret.length < 7 || secret === 'password') continue
    expect({ id: shape.id, isSaid: (host.output.out + host.output.err).includes(secret) }).toEqual({
      id: shape.id,
      isSaid: false,
    })
  }
})
