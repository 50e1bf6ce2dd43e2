import { describe, expect, test } from 'vitest'
import { redisService, vcapServices } from '../../../lab/bindings.ts'
import { main } from '../../../src/cli/main.ts'
import { prepare } from '../../../src/homes/home.ts'
import { watchedByExec } from '../../../src/watch/watched.ts'
import { fakeHost } from '../../support/host/fake-host.ts'
import { fakePhp } from '../../support/host/fake-php.ts'

const DIRECTORY = '/tmp/php-sessions-unique'
const INI = `${DIRECTORY}/00-php-sessions.ini`
const PASSWD = 'root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/sh\nshop:x:1001:2001::/:/bin/sh\n'
const GROUP = 'root:x:0:\nwww-data:x:33:\nweb:x:2001:shop\n'

interface Case {
  readonly files?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  readonly uid?: number
}

/** Who reads the ini of a command that root starts, and what was said. */
function readers(command: string, { files = {}, env = {}, uid = 0 }: Case = {}) {
  const host = fakeHost(
    { PATH: '/usr/bin:/usr/local/bin', VCAP_SERVICES: vcapServices(redisService), ...env },
    {
      '/proc/self/status': `Uid:\t${uid}\t${uid}\t${uid}\t${uid}\n`,
      '/etc/passwd': PASSWD,
      '/etc/group': GROUP,
      ...files,
    },
    fakePhp({ 'look-around': { phpredis: '6.2.0', loaded: ['redis'] } }),
  )
  let seen: { readonly ini?: string; readonly directory?: string; readonly of?: number | undefined } = {}
  const supervise = () => {
    seen = {
      ini: host.modes.get(INI)?.toString(8) ?? '',
      directory: host.directories.get(DIRECTORY)?.toString(8) ?? '',
      of: host.groups.get(INI),
    }
    return 0
  }
  const words = command.split(' ').map((word) => word.replaceAll('_', ' '))
  const status = main({ ...host, supervise }, ['exec', '--', ...words])
  return { status, ...seen, err: host.output.err }
}

const SCRIPT = '/usr/local/bin/entrypoint'
const script = (...lines: readonly string[]) => ({
  files: { [SCRIPT]: ['#!/bin/sh', ...lines, ''].join('\n') },
})
const SUPERVISORD = (...programs: readonly string[]) => ({
  files: {
    '/etc/supervisor/supervisord.conf': '[supervisord]\nnodaemon=true\n[include]\nfiles = conf.d/*.conf\n',
    ...Object.fromEntries(programs.map((text, i) => [`/etc/supervisor/conf.d/${i}.conf`, text])),
  },
})

describe('the group of the user that PHP runs as reads the ini, and lists its directory', () => {
  test.each<[string, number, Case?]>([
    ['setpriv --reuid=www-data --regid=www-data --init-groups php-fpm -F', 33],
    ['setpriv --reuid www-data --regid 2001 --clear-groups php-fpm -F', 2001],
    ['setpriv --reuid=33 --init-groups php-fpm -F', 33],
    ['setpriv --reuid=www-data --clear-groups php-fpm -F', 0],
    ['setpriv --reuid=1000680000 --clear-groups php worker.php', 0],
    ['gosu www-data php-fpm -F', 33],
    ['tini -- gosu www-data:web php-fpm -F', 2001],
    ['su-exec shop php-fpm', 2001],
    ['su-exec 1000:1000 php-fpm', 1000],
    ['s6-setuidgid www-data php-fpm -F', 33],
    ['setuidgid www-data php-fpm -F', 33],
    ['start-stop-daemon --start --chuid shop:www-data --exec /usr/sbin/php-fpm', 33],
    ['chpst -u shop:web php-fpm', 2001],
    ['chpst -u :33:2001 php-fpm', 2001],
    ['gosu shop: php-fpm', 2001],
    ['su www-data -s /bin/sh -c exec_php-fpm_-F', 33],
    ['su -s /bin/sh -c exec_php-fpm_-F www-data', 33],
    ['runuser -u shop -- php-fpm', 2001],
    ['runuser -g web -c php-fpm_-F www-data', 2001],
    ['sudo -E -u www-data php-fpm -F', 33],
    ['sudo --preserve-env -u www-data php-fpm -F', 33],
    ['sudo -E -u shop -g www-data php-fpm -F', 33],
    ['sh -c exec_gosu_www-data_php-fpm', 33],
    ['sh -c mkdir_x_&&_exec_su-exec_shop_php-fpm', 2001],
    ['entrypoint php-fpm', 33, script('set -e', 'exec gosu www-data "$@"')],
    ['/usr/local/bin/entrypoint php-fpm', 33, script('[ "$(id -u)" = 0 ] && exec gosu www-data "$0" "$@"')],
    ['entrypoint php-fpm', 2001, script('APP_USER=shop', 'exec su-exec "$APP_USER" "$@"')],
    ['entrypoint php-fpm', 2001, script('u="${APP_USER:-shop}"', 'if true; then exec su-exec "$u" "$@"; fi')],
    [
      'entrypoint php-fpm',
      33,
      { ...script('exec su-exec "${APP_USER:-shop}" "$@"'), env: { APP_USER: 'www-data' } },
    ],
    [
      'entrypoint php-fpm',
      33,
      {
        ...script('APP_USER="${APP_USER:-shop}"', 'exec su-exec "$APP_USER" "$@"'),
        env: { APP_USER: 'www-data' },
      },
    ],
    ['entrypoint php-fpm', 2001, script('u=shop', '[ -f /srv/own ] && u=www-data', 'exec su-exec "$u" "$@"')],
    ['entrypoint php-fpm', 33, script('gosu shop ./migrate', 'exec gosu www-data "$@"')],
    ['entrypoint php-fpm', 33, script('exec catatonit -- gosu www-data "$@"')],
    ['supervisord -n', 33, SUPERVISORD('[program:php]\ncommand=php-fpm -F\nuser=www-data\n')],
    [
      'supervisord -n',
      2001,
      SUPERVISORD('[program:a]\ncommand=nginx\n', '[program:php]\ncommand = su-exec shop php-fpm -F\n'),
    ],
    [
      's6-svscan /srv',
      33,
      { files: { '/srv/php/run': '#!/bin/execlineb -P\ns6-setuidgid www-data\nphp-fpm -F\n' } },
    ],
    ['s6-supervise /srv/php', 33, { files: { '/srv/php/run': '#!/bin/sh\nexec gosu www-data php-fpm\n' } }],
    [
      '/init',
      33,
      { files: { '/etc/services.d/php/run': '#!/bin/sh\nexec s6-setuidgid www-data php-fpm -F\n' } },
    ],
  ])('%s: %i', (command, gid, given) => {
    const { err, ...done } = readers(command, given)
    expect(done).toEqual({ status: 0, ini: '640', directory: '751', of: gid })
    expect(err).toMatch(/^php-sessions: sessions are kept in Redis service [^\n]*\n$/)
  })
})

describe('only root reads the ini', () => {
  test.each<[string, Case?]>([
    ['php-fpm -F'],
    ['gosu root php-fpm -F'],
    ['sudo -E php-fpm -F'],
    ['env A=b php-fpm -F'],
    ['entrypoint php-fpm', script('exec env -i PHP_INI_SCAN_DIR="$PHP_INI_SCAN_DIR" "$@"')],
    ['setpriv --no-new-privs php-fpm -F'],
    ['apache2-foreground'],
    ['entrypoint php-fpm', script('# gosu www-data is not needed', 'apt-get install gosu curl', 'exec "$@"')],
    ['entrypoint php-fpm', script('echo "runs with su www-data"', 'exec "$@"')],
    ['supervisord -n', SUPERVISORD('[program:php]\ncommand=php-fpm -F\n')],
    ['gosu www-data php-fpm', { uid: 33 }],
  ])('%s', (command, given) => {
    const { err, ...done } = readers(command, given)
    expect(done).toEqual({ status: 0, ini: '600', directory: '700', of: undefined })
    expect(err).not.toContain('exec.')
  })
})

test.each<[string, number, Case?]>([
  ['gosu nobody-here php-fpm', 1],
  ['gosu www-data:no-group php-fpm', 1],
  ['entrypoint php-fpm', 0, script('exec gosu "$(stat -c %U .)" "$@"')],
  [
    'supervisord',
    1,
    SUPERVISORD('[program:a]\ncommand=php a.php\nuser=shop\n[program:b]\ncommand=php-fpm\nuser=www-data\n'),
  ],
  ['su - www-data -c php-fpm', 1],
  ['su -l www-data -c php-fpm', 1],
  ['sudo -u www-data php-fpm', 0],
  ['env -i php-fpm -F', 1],
  ['entrypoint nginx', 0, script('service php8.2-fpm start', 'exec "$@"')],
])('a PHP that cannot use the settings is known before: %s', (command, expected, given) => {
  const { status, err } = readers(command, given)
  expect(status).toBe(expected)
  expect(err).toMatchSnapshot()
})

test('the watcher writes new settings for the same readers, also where nothing is bound at first', () => {
  const files = { '/proc/self/status': 'Uid:\t0\t0\t0\t0\n', '/etc/passwd': PASSWD, '/etc/group': GROUP }
  const php = fakePhp({ 'look-around': { phpredis: '6.2.0', loaded: ['redis'] } })
  const host = fakeHost({}, files, php)
  expect(main(host, ['exec', '--watch', '--', 'gosu', 'www-data', 'php-fpm'])).toBe(0)
  const words = host.supervised[0]?.watcher ?? []
  expect(words.slice(-2)).toEqual(['--reader', '33'])

  const bound = fakeHost({ VCAP_SERVICES: vcapServices(redisService) }, files, php)
  const watched = watchedByExec(bound, '.', DIRECTORY, { group: 33, readsIni: true })
  watched.write(prepare(watched))
  expect([bound.modes.get(INI)?.toString(8), bound.groups.get(INI)]).toEqual(['640', 33])
})
