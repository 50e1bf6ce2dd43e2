import { describe, expect, test } from 'vitest'
import { CANARY, redisService, vcapServices } from '../../lab/bindings.ts'
import { main } from '../../src/cli/main.ts'
import { type Answer, DIRECTORY, line, PHP, pool, start } from '../support/homes/managed-start.ts'
import { fakeHost } from '../support/host/fake-host.ts'
import { fakePhp } from '../support/host/fake-php.ts'
import { FPM, poolFiles } from '../support/pools.ts'

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
