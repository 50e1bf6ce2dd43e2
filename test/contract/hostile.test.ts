import { expect, test } from 'vitest'
import { vcapServices } from '../../lab/bindings.ts'
import { main } from '../../src/cli/main.ts'
import type { SettingsAnswer } from '../../src/php/answers.ts'
import { makeWatcher } from '../../src/watch/watch.ts'
import { watchedByExec } from '../../src/watch/watched.ts'
import { fpmWith, is, phpWith, WELL } from '../doctor/answers.ts'
import { type FakeHost, fakeHost } from '../support/host/fake-host.ts'
import { type FakeAnswers, fakePhp } from '../support/host/fake-php.ts'
import { FPM } from '../support/pools.ts'
import { fc, PROPERTY_RUNS } from '../support/properties.ts'

/** Line breaks, the escape sequences of terminals (C0, C1), and characters that turn the direction of text. */
const DECEPTIVE = [
  ...['\n', '\r', '\r\n', '\t', '\v', '\f', '\0', '\b', '\x1b[2K', '\x7f', '\x85', '\x9b31m', '\x9d'],
  ...['\u2028', '\u2029', '\u202a', '\u202e', '\u2066', '\u2069', '\u200e', '\u200f', '\u061c'],
]
// biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be printed, but the ends of lines
const PRINTED = /[\0-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/

const hostile = fc
  .array(fc.constantFrom(...DECEPTIVE, 'a', '"', '\\', ' '), { minLength: 1, maxLength: 4 })
  .map((parts) => `x${parts.join('')}\n✗ FORGED${parts.join('')}y`)

/** One text in every field that comes from outside. */
function world(text: string, kind: 'redis' | 'memcached' | 'sentinel' | 'unknown'): FakeHost {
  const more = {
    name: `${text}-${kind === 'memcached' ? kind : 'redis'}-sessions`,
    label: text,
    tags: [text],
  }
  const credentials = {
    redis: {
      host: 'redis.example',
      username: text,
      password: 'pw',
      [text]: text,
      ...(text.includes('a') ? { ca: text } : {}),
    },
    memcached: { servers: 'mc.example:11211', username: text, password: 'pw', [text]: text },
    sentinel: { sentinels: ['s1:26379'], master_name: text, username: text, password: 'pw' },
    unknown: { [text]: text, host: text, port: text },
  }[kind]
  const settings = fpmWith(
    {
      'session.save_handler': is(text, text),
      'session.save_path': { isExpected: false, value: text, from: text },
      'session.name': is(text, text),
      'session.cookie_samesite': is(text, text),
      open_basedir: is(text, text),
      auto_prepend_file: is(text, text),
    },
    { loaded: text, files: [text, `${text}/${text}`], faults: [text], exposed: [text], ours: text },
  )
  const named: Partial<SettingsAnswer> = {
    ...settings,
    version: text,
    extensionDirectory: text,
    libraries: [text],
  }
  const answers: FakeAnswers = {
    settings: text.length % 2 === 0 ? named : { ...phpWith({}), ...named, fpm: null },
    extension: { said: text },
    network: { servers: [{ state: 'foreign', said: text, address: text }] },
    redis: { ...WELL.redis, login: false, error: text, role: text, info: { redis_version: text } },
    memcached: { hasPlugin: true, servers: [] },
    session: {
      ...WELL.session,
      step: 'write',
      error: text,
      handler: text,
      said: [text],
      second: { error: text },
    },
    'look-around': {
      versionId: 80401,
      phpredis: '6.2.0',
      loaded: ['redis', 'memcached'],
      lines: ['auto_prepend_file', 'disable_functions', 'open_basedir', 'session.auto_start'].map((name) => ({
        name,
        value: `${text} ini_get`,
        from: text,
      })),
      fpm: FPM,
      failures: [text],
      master: kind === 'sentinel' ? { host: text, port: 1 } : null,
    },
  }
  const env = {
    ...{ LANG: 'C.UTF-8', TMPDIR: '/tmp', CNB_APP_DIR: '/app', CNB_LAYERS_DIR: '/layers' },
    VCAP_SERVICES: vcapServices({ ...more, credentials }),
    PHP_SESSIONS_HANDLER: 'managed',
    // Each of these is an error, and hides what would come later.
    ...(text.includes('"') ? { PHP_SESSIONS_PREFIX: text, PHP_SESSIONS_SERIALIZER: text } : {}),
    ...(text.includes('\\') ? { [`PHP_SESSIONS_${text}`]: text } : {}),
  }
  const oneLine = text.replaceAll('\n', '')
  const files = {
    '/app/.user.ini': `auto_prepend_file = "${text.replaceAll('\n', '')}"\n`,
    '/app/composer.json': text,
    '/etc/php-fpm.conf': `[${oneLine}]\nlisten = "${oneLine}"\nchroot = ${oneLine}\nphp_admin_value[disable_functions] = ${oneLine}\n`,
  }
  return fakeHost(env, files, fakePhp(answers))
}

const COMMANDS: readonly (readonly string[])[] = [
  ['explain', '--app', '/app'],
  ['explain', '--app', '/app', '--json'],
  ['explain', '--app', '/app', '--acl'],
  ['doctor', '--app', '/app'],
  ['doctor', '--app', '/app', '-v', '--strict'],
  ['doctor', '--app', '/app', '--json'],
  ['doctor', '--app', '/app', '--debug'],
  ['ini', '--app', '/app', '--output', '/etc/php/x.ini'],
  ['exec', '--app', '/app', '--', 'php-fpm'],
  ['launch'],
  ['supply', '/build', '/cache', '/deps', '0'],
  ['cnb-build'],
]

test('no command prints a deceptive character, or begins a line with what comes from outside', () => {
  fc.assert(
    fc.property(
      hostile,
      fc.constantFrom('redis', 'memcached', 'sentinel', 'unknown'),
      fc.constantFrom(...COMMANDS, ['no-such-command'], ['watch']),
      (text, kind, command) => {
        const host = world(text, kind)
        if (command[0] === 'watch') makeWatcher(host, watchedByExec(host, '/app', '/tmp/php-sessions-x'))()
        // What `launch` prints on stdout is for a shell, and no user sees it.
        else main(host, command[0] === 'no-such-command' ? [text] : command)
        const printed = `${command[0] === 'launch' ? '' : host.output.out}${host.output.err}`
        expect(printed).not.toMatch(PRINTED)
        expect(printed).not.toMatch(/^\s*✗ FORGED/m)
      },
    ),
    { numRuns: PROPERTY_RUNS },
  )
})

test.each(['redis', 'memcached', 'sentinel'] as const)('such fields make a plan for %s', (kind) => {
  const host = world('x\x1b[2K\n✗ FORGED', kind)
  main(host, ['explain', '--app', '/app'])
  expect(host.output.out).toMatch(/\nSessions are kept in (Redis|Memcached) service x\\u001b\[2K\\n✗ FORGED-/)
})

test('the JSON that is printed still has the same values', () => {
  const text = `x${DECEPTIVE.filter((part) => part !== '\0').join('')}b`
  const host = world(text, 'redis')
  main(host, ['explain', '--app', '/app', '--json'])
  expect(JSON.parse(host.output.out).store.user).toBe(text)
})
