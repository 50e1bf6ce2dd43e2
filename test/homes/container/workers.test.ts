import { expect, test } from 'vitest'
import { clusterService, redisService, vcapServices } from '../../../lab/bindings.ts'
import { main } from '../../../src/cli/main.ts'
import type { PoolLine } from '../../../src/php/answers.ts'
import { fakeHost } from '../../support/host/fake-host.ts'
import { fakePhp } from '../../support/host/fake-php.ts'
import { FPM, poolFiles } from '../../support/pools.ts'

const STORE = '/tmp/php-sessions-unique/php-sessions-store.php'
const PASSWD =
  'root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/sh\nshop:x:1001:2001::/:/bin/sh\nblog:x:1002:2001::/:/bin/sh\n'
const GROUP = 'root:x:0:\nwww-data:x:33:\nweb:x:2001:shop\nother:x:44:\n'
const status = (uid: number) => `Name:\tphp-sessions\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\n`
/** The pools of php-fpm, each `user` or `user:group`; without a user php-fpm is told to stay root. */
const pools = (...identities: readonly string[]): readonly PoolLine[] =>
  identities.flatMap((identity, i) => {
    const [user = '', group = ''] = identity.split(':')
    const lines = Object.entries({ listen: '9000', user, group, 'listen.group': 'other' })
    return lines
      .filter(([, value]) => value !== '')
      .map(([name, value]) => ({ pool: `pool${i}`, kind: '', name, value, from: '/etc/www.conf:1' }))
  })

interface Case {
  readonly uid?: number
  readonly env?: Record<string, string>
  readonly fpm?: readonly PoolLine[]
  readonly files?: Readonly<Record<string, string>>
}

/** A container in which php-fpm has these pools. */
const container = ({ uid = 0, env = {}, fpm = pools('www-data'), files = {} }: Case) =>
  fakeHost(
    { PHP_SESSIONS_HANDLER: 'managed', VCAP_SERVICES: vcapServices(redisService), ...env },
    {
      '/proc/self/status': status(uid),
      '/etc/passwd': PASSWD,
      '/etc/group': GROUP,
      ...poolFiles(fpm),
      ...files,
    },
    fakePhp({ 'look-around': { versionId: 80401, phpredis: '6.2.0', loaded: ['redis'], fpm: FPM } }),
  )

function exec(command: readonly string[], options: Case = {}) {
  const host = container(options)
  const ended = main(host, ['exec', '--', ...command])
  return {
    status: ended,
    group: host.groups.get(STORE),
    mode: host.modes.get(STORE)?.toString(8),
    given: [...host.groups.keys()],
    err: host.output.err,
  }
}

test.each<[string, readonly string[], Case | undefined, number | undefined]>([
  ['php-fpm', ['php-fpm', '-F'], {}, 33],
  ['php-fpm behind another program', ['docker-php-entrypoint', '/usr/sbin/php-fpm8.4'], {}, 33],
  ['php-fpm with a group', ['php-fpm'], { fpm: pools('www-data:other') }, 44],
  ['php-fpm with a group by number', ['php-fpm'], { fpm: pools('1234:4321', '1234:4321') }, 4321],
  ['php-fpm with a user by number', ['php-fpm'], { fpm: pools('1001') }, 2001],
  ['two pools whose users have one group', ['php-fpm'], { fpm: pools('shop', 'blog', 'www-data:web') }, 2001],
  ['php-fpm that stays root', ['php-fpm', '-R'], { fpm: pools('') }, 0],
  ['Apache', ['apache2-foreground'], {}, 33],
  [
    'Apache with a group',
    ['docker-php-entrypoint', 'apache2-foreground'],
    { env: { APACHE_RUN_GROUP: 'other' } },
    44,
  ],
  ['Apache with a group by number', ['apache2-foreground'], { env: { APACHE_RUN_GROUP: '#1500' } }, 1500],
  ['php itself', ['php', 'worker.php'], {}, undefined],
  ['anything that is not root', ['supervisord'], { uid: 33 }, undefined],
  [
    'the native handler, which reads nothing in its workers',
    ['supervisord'],
    { env: { PHP_SESSIONS_HANDLER: 'native' } },
    undefined,
  ],
])('the credentials are for the workers: %s', (_name, command, options, group) => {
  const { given, err, ...done } = exec(command, options)
  const isManaged = options?.env?.PHP_SESSIONS_HANDLER !== 'native'
  const mode = group === undefined ? '600' : '640'
  expect(done).toEqual({ status: 0, group, mode: isManaged ? mode : undefined })
  expect(given.filter((path) => path !== STORE)).toEqual([])
  expect(err).not.toContain('exec.workers')
})

test.each<[string, readonly string[], Case | undefined, number]>([
  ['two pools', ['php-fpm'], { fpm: pools('www-data', 'shop') }, 1],
  ['php-fpm that says nothing', ['php-fpm'], { fpm: [] }, 1],
  ['a user who is not there', ['php-fpm'], { fpm: pools('nobody') }, 1],
  ['a user by number who is not there', ['php-fpm'], { fpm: pools('1234') }, 1],
  ['a group that is not there', ['php-fpm'], { fpm: pools('www-data:nogroup') }, 1],
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
  const run = (fpm: readonly PoolLine[]) => {
    const host = container({ fpm })
    expect(main(host, ['ini', '--output', '/etc/conf.d/00-php-sessions.ini'])).toBe(0)
    return { groups: Object.fromEntries(host.groups), err: host.output.err }
  }
  expect(run(pools('shop'))).toEqual({ groups: { '/etc/conf.d/php-sessions-store.php': 2001 }, err: '' })
  expect(run([])).toMatchSnapshot()
})

test('workers write a separate file, which nobody runs', () => {
  const services = vcapServices(clusterService([{ host: '10.0.0.1', port: 6379 }]))
  const host = container({ env: { VCAP_SERVICES: services } })
  let seen: ReadonlyMap<string, number> = new Map()
  const supervise = () => {
    seen = new Map([...host.modes, ...host.directories])
    return 0
  }
  expect(main({ ...host, supervise }, ['exec', '--', 'php-fpm'])).toBe(0)
  const own = Object.fromEntries(
    [...seen].map(([path, mode]) => [path.replace(/.*\//, ''), mode.toString(8)]),
  )
  expect(own).toEqual({
    '00-php-sessions.ini': '600',
    'php-sessions-handler.php': '644',
    'php-sessions-state.json': '660',
    'php-sessions-store.php': '640',
    'php-sessions-unique': '711',
  })
})
