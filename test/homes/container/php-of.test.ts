import { expect, test } from 'vitest'
import { phpOf } from '../../../src/homes/container/php-of.ts'
import { findRunning } from '../../../src/homes/container/running.ts'
import { findStarted } from '../../../src/homes/container/started.ts'
import { findHome } from '../../../src/homes/find-home.ts'
import { type PhpStart, startOf } from '../../../src/php/ask.ts'
import { fakeHost } from '../../support/host/fake-host.ts'

/** A host with these files, each of which is a PHP that runs. */
const hostWith = (...paths: readonly string[]) =>
  fakeHost(
    { PATH: '/usr/local/bin:/usr/bin' },
    Object.fromEntries(paths.map((path) => [path, ''])),
    ({ file }) => ({ status: 0, stdout: file.includes('php') ? 'PHP 8.4.1 (cli)\n' : '' }),
  )

test.each([
  ['no PHP', ['/usr/bin/php'], 'apache2-foreground', 'php'],
  ['php', ['/usr/bin/php'], 'php -S 0.0.0.0:8080', 'php'],
  ['another version', ['/usr/bin/php', '/usr/bin/php8.4'], 'php8.4 -S 0.0.0.0:8080', 'php8.4'],
  ['php-fpm of another version', ['/usr/bin/php', '/usr/bin/php8.4'], 'tini -- php-fpm8.4 -F', 'php8.4'],
  ['php-fpm of Alpine', ['/usr/bin/php84'], 'php-fpm84 -F', 'php84'],
  ['php-fpm of Alpine, and php', ['/usr/bin/php', '/usr/bin/php84'], 'php-fpm84 -F', 'php84'],
  ['php-fpm without a PHP of its version', ['/usr/bin/php'], 'php-fpm8.4 -F', 'php'],
  ['php-fpm by its path', ['/usr/bin/php', '/opt/php/bin/php'], '/opt/php/sbin/php-fpm', '/opt/php/bin/php'],
  ['php-cgi', ['/usr/bin/php', '/usr/bin/php8.4'], 'php-cgi8.4 -b 9000', 'php8.4'],
])('the PHP to ask for a command with %s', (_what, paths, command, php) => {
  const host = hostWith(...paths)
  expect(phpOf(host, findStarted(host, command.split(' ')))).toEqual(startOf(php))
})

test('the PHP of a command is php where both are one file', () => {
  const host = hostWith('/usr/bin/php', '/usr/bin/php8.4')
  for (const path of ['/usr/bin/php', '/usr/bin/php8.4']) host.links.set(path, '/etc/alternatives/php')
  expect(phpOf(host, findStarted(host, ['php-fpm8.4']))).toEqual(startOf())
})

test.each([
  [{}, 'php8.4'],
  [{ php: '/opt/php' }, '/opt/php'],
])(
  'a second process in the container asks the PHP of the command of exec, unless told which: %j',
  (flags, php) => {
    const host = hostWith('/usr/bin/php', '/usr/bin/php8.4')
    for (const process of ['self', '1']) host.files.set(`/proc/${process}/status`, 'Uid:\t0\t0\t0\t0\n')
    host.files.set('/proc/1/cmdline', 'php-sessions\0exec\0--app\0/app\0--\0php-fpm8.4\0-F\0')
    expect(findHome(host, flags, findRunning(host).php).php).toEqual(startOf(php))
  },
)

/** Debian's Apache with PHP as its module, whose ini files are its own. */
const APACHE = ['/usr/bin/php8.2', '/etc/apache2/mods-enabled/php8.2.load', '/etc/php/8.2/apache2/php.ini']

const OF_APACHE: PhpStart = {
  command: ['php8.2', '-c', '/etc/php/8.2/apache2'],
  env: { PHP_INI_SCAN_DIR: '/etc/php/8.2/apache2/conf.d' },
  isApache: true,
}

test.each([
  ['Apache', 'apache2ctl -DFOREGROUND', OF_APACHE],
  ['Apache after a script of PHP', 'sh -c php migrate.php && apache2-foreground', OF_APACHE],
  ['php-fpm, which serves even if Apache is set up', 'php-fpm8.2 -F', startOf('php8.2')],
  ['php, which serves even if Apache is set up', 'php -S 0.0.0.0:8080', startOf()],
])('the PHP to ask for a command with %s', (_what, command, start) => {
  const host = hostWith('/usr/bin/php', ...APACHE)
  const words = command.startsWith('sh -c') ? ['sh', '-c', command.slice(6)] : command.split(' ')
  expect(phpOf(host, findStarted(host, words))).toEqual(start)
  host.files.set('/proc/1/cmdline', `php-sessions\0exec\0--\0${words.join('\0')}\0`)
  for (const process of ['self', '1']) host.files.set(`/proc/${process}/status`, 'Uid:\t0\t0\t0\t0\n')
  expect(findHome(host, {}, findRunning(host).php).php).toEqual(start)
})
