import { expect, test } from 'vitest'
import { redisService, vcapServices } from '../../../lab/bindings.ts'
import { main } from '../../../src/cli/main.ts'
import { fakeHost } from '../../support/fake-host.ts'
import { fakePhp } from '../../support/fake-php.ts'

const STORE = '/tmp/php-sessions-unique/php-sessions-store.php'
const PASSWD = 'root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/sh\nshop:x:1001:1001::/:/bin/sh\n'
const status = (uid: number) => `Name:\tphp-sessions\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\n`
const pools = (...users: readonly string[]) =>
  users.map((user) => `[24-Nov-2026 08:00:00] NOTICE: [pool]\n[…] NOTICE: \tuser = ${user}\n`).join('')

interface Case {
  readonly uid?: number
  readonly env?: Record<string, string>
  readonly fpm?: string
}

const PHP = fakePhp({ 'look-around': { versionId: 80401, phpredis: '6.2.0', loaded: ['redis'] } })

/** A container in which php-fpm says this of its pools. */
const container = ({ uid = 0, env = {}, fpm = pools('www-data') }: Case) =>
  fakeHost(
    { PHP_SESSIONS_HANDLER: 'managed', VCAP_SERVICES: vcapServices(redisService), ...env },
    { '/proc/self/status': status(uid), '/etc/passwd': PASSWD },
    (command) => (command.file === 'sh' ? { status: 0, stdout: fpm } : PHP(command)),
  )

function exec(command: readonly string[], options: Case = {}) {
  const host = container(options)
  const ended = main(host, ['exec', '--', ...command])
  return {
    status: ended,
    owner: host.owners.get(STORE),
    given: [...host.owners.keys()],
    err: host.output.err,
  }
}

test.each<[string, readonly string[], Case | undefined, number | undefined]>([
  ['php-fpm', ['php-fpm', '-F'], {}, 33],
  ['php-fpm behind another program', ['docker-php-entrypoint', '/usr/sbin/php-fpm8.4'], {}, 33],
  ['php-fpm with a user by number', ['php-fpm'], { fpm: pools('1234', '1234') }, 1234],
  ['php-fpm that stays root', ['php-fpm', '-R'], { fpm: pools('undefined') }, 0],
  ['Apache', ['apache2-foreground'], {}, 33],
  [
    'Apache with a user',
    ['docker-php-entrypoint', 'apache2-foreground'],
    { env: { APACHE_RUN_USER: 'shop' } },
    1001,
  ],
  ['Apache with a user by number', ['apache2-foreground'], { env: { APACHE_RUN_USER: '#1500' } }, 1500],
  ['php itself', ['php', 'worker.php'], {}, undefined],
  ['anything that is not root', ['supervisord'], { uid: 33 }, undefined],
  [
    'the native handler, which reads nothing in its workers',
    ['supervisord'],
    { env: { PHP_SESSIONS_HANDLER: 'native' } },
    undefined,
  ],
])('the credentials are for the workers: %s', (_name, command, options, owner) => {
  const { given, err, ...done } = exec(command, options)
  expect(done).toEqual({ status: 0, owner })
  expect(given.filter((path) => path !== STORE)).toEqual([])
  expect(err).not.toContain('exec.workers')
})

test.each<[string, readonly string[], Case | undefined, number]>([
  ['two pools', ['php-fpm'], { fpm: pools('www-data', 'shop') }, 1],
  ['php-fpm that says nothing', ['php-fpm'], { fpm: '' }, 1],
  ['a user who is not there', ['php-fpm'], { fpm: pools('nobody') }, 1],
  ['a command that may start anything', ['supervisord', '-n'], {}, 0],
])('what to do where nobody knows the workers: %s', (_name, command, options, expected) => {
  const { status: ended, err } = exec(command, options)
  expect(ended).toBe(expected)
  expect(err).toMatchSnapshot()
})

test('a key of the client is for them, too', () => {
  const [pem, key] = ['CERTIFICATE', 'PRIVATE KEY'].map(
    (name) => `-----BEGIN ${name}-----\nAA==\n-----END ${name}-----\n`,
  )
  const credentials = { host: 'h', tls_port: 6380, client_cert: pem ?? '', client_key: key ?? '' }
  const env = {
    PHP_SESSIONS_HANDLER: 'native',
    VCAP_SERVICES: vcapServices({ ...redisService, credentials }),
  }
  expect(exec(['php-fpm'], { env }).given).toEqual(['/tmp/php-sessions-unique/php-sessions-client.pem'])
})

test('ini --output asks the php-fpm of the same version, and says what to do where there is none', () => {
  const run = (fpm: string) => {
    const host = container({ fpm })
    expect(main(host, ['ini', '--output', '/etc/conf.d/00-php-sessions.ini'])).toBe(0)
    return { owners: Object.fromEntries(host.owners), err: host.output.err }
  }
  expect(run(pools('shop'))).toEqual({ owners: { '/etc/conf.d/php-sessions-store.php': 1001 }, err: '' })
  expect(run('sh: php-fpm: not found')).toMatchSnapshot()
})
