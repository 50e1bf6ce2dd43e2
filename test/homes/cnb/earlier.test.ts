import { describe, expect, test } from 'vitest'
import { redisService, vcapServices } from '../../../lab/bindings.ts'
import { main } from '../../../src/cli/main.ts'
import { HostError } from '../../../src/host/host.ts'
import { type FakeHost, fakeHost } from '../../support/host/fake-host.ts'
import { fakePhp } from '../../support/host/fake-php.ts'
import { processStat, processStatus } from '../../support/processes.ts'

const EARLIER = '/tmp/php-sessions-17-k3x9'
const PHP = fakePhp({ 'look-around': { versionId: 80401, phpredis: '6.2.0', loaded: ['redis'] } })

/** An image's container of user 1000, in which an earlier launch, by process 17, has left its directory. */
function container(env: Record<string, string> = {}) {
  const host = fakeHost(
    { VCAP_SERVICES: vcapServices(redisService), ...env },
    {
      '/proc/self/status': processStatus(1000),
      '/proc/self/stat': processStat(50, 'php-sessions', 49),
      '/proc/49/stat': processStat(49, 'launcher', 1, 700),
      '/proc/49/status': processStatus(1000),
      '/proc/49/environ': 'PATH=/bin\0',
      [`${EARLIER}/00-php-sessions.ini`]: 'session.save_path = "tcp://h?auth=s3cret"',
      [`${EARLIER}/launcher`]: '17 500',
      '/tmp/unrelated/file': '',
      // A file that an app calls so, and a directory of `exec`, which removes it itself.
      '/tmp/php-sessions-own/file': '',
      '/tmp/php-sessions-18-x1/file': '',
    },
    PHP,
  )
  host.statuses.set(EARLIER, { mode: 0o700, uid: 1000 })
  return host
}

function launch(host: FakeHost, readBytes = host.readBytes) {
  expect(main({ ...host, readBytes }, ['cnb-launch'])).toBe(0)
  for (const path of ['/tmp/unrelated/file', '/tmp/php-sessions-own/file', '/tmp/php-sessions-18-x1/file'])
    expect(host.files.has(path)).toBe(true)
  return [...host.files.keys()].some((path) => path.startsWith(`${EARLIER}/`)) ? 'kept' : 'removed'
}

test('a launch removes the files of an earlier one, and says which process its own are for', () => {
  const host = container()
  expect(launch(host)).toBe('removed')
  expect(host.files.get('/tmp/php-sessions-unique/launcher')).toBe('49 700')
})

test.each<[string, (host: FakeHost) => void]>([
  [
    'a process has it in its environment',
    ({ files }) => files.set('/proc/49/environ', `PHP_INI_SCAN_DIR=:${EARLIER}\0`),
  ],
  [
    'its launcher has not started the app yet',
    ({ files }) => files.set('/proc/17/stat', processStat(17, 'launcher', 1, 500)),
  ],
  ['it is another user’s', ({ statuses }) => statuses.set(EARLIER, { mode: 0o700, uid: 1001 })],
  ['others may enter it', ({ statuses }) => statuses.set(EARLIER, { mode: 0o755, uid: 1000 })],
  ['no launch has made it', ({ files }) => files.delete(`${EARLIER}/launcher`)],
  ['other containers may share /tmp', ({ statuses }) => statuses.set('/tmp', { device: 2 })],
])('it is kept where %s', (_name, change) => {
  const host = container()
  change(host)
  expect(launch(host)).toBe('kept')
})

test('it is kept where a process does not show its environment, unless that is another user’s', () => {
  const unreadable = (host: FakeHost) => (path: string) => {
    if (path === '/proc/60/environ') throw new HostError('cannot read it: permission denied')
    return host.readBytes(path)
  }
  for (const [user, expected] of [
    [1000, 'kept'],
    [0, 'removed'],
  ] as const) {
    const host = container()
    host.files.set('/proc/60/status', processStatus(user))
    expect(launch(host, unreadable(host))).toBe(expected)
  }
})

test('the pid of a launcher that has gone may be another process’ by now', () => {
  const host = container()
  host.files.set('/proc/17/stat', processStat(17, 'sh', 1, 501))
  expect(launch(host)).toBe('removed')
})

describe('a launch beside one with the same content', () => {
  /** Two launches of this container, the first of which has become a process; the second has another environment. */
  const launchTwice = (env: Record<string, string>, second: Record<string, string> = {}) => {
    const host = container(env)
    const first = main({ ...host, uniqueWord: () => '17-one' }, ['cnb-launch'])
    const files = new Map([...host.files].filter(([path]) => path.startsWith('/tmp/php-sessions-17-one/')))
    host.statuses.set('/tmp/php-sessions-17-one', { mode: 0o700, uid: 1000 })
    host.files.set('/proc/17/stat', processStat(17, 'php-fpm', 1, 500))
    host.files.set('/proc/17/status', processStatus(1000))
    host.files.set('/proc/17/environ', 'PHP_INI_SCAN_DIR=:/tmp/php-sessions-17-one\0')
    host.output.out = ''
    const status = main({ ...host, env: { ...host.env, ...second }, uniqueWord: () => '49-two' }, [
      'cnb-launch',
    ])
    const left = [...files].filter(
      ([path, text]) => path.endsWith('/launcher') || host.files.get(path) === text,
    )
    return { statuses: [first, status], host, isWhole: left.length === files.size, out: host.output.out }
  }

  test.each<[string, Record<string, string>]>([
    ['the native handler', {}],
    ['the managed handler', { PHP_SESSIONS_HANDLER: 'managed' }],
  ])('uses the files of that, and leaves none: %s', (_name, env) => {
    const { statuses, host, isWhole, out } = launchTwice(env)
    expect(statuses).toEqual([0, 0])
    expect(out).toBe('PHP_INI_SCAN_DIR = ":/tmp/php-sessions-17-one"\n')
    expect(isWhole).toBe(true)
    expect(host.files.get('/tmp/php-sessions-17-one/launcher-49')).toBe('49 700')
    expect([...host.files.keys()].filter((path) => path.includes('49-two'))).toEqual([])
  })

  test('has its own files with another binding', () => {
    const credentials = { host: 'other', port: 6379, password: 'another' }
    const { host, isWhole, out } = launchTwice(
      {},
      { VCAP_SERVICES: vcapServices({ ...redisService, credentials }) },
    )
    expect(out).toBe('PHP_INI_SCAN_DIR = ":/tmp/php-sessions-49-two"\n')
    expect(isWhole).toBe(true)
    expect(host.files.has('/tmp/php-sessions-49-two/00-php-sessions.ini')).toBe(true)
  })
})
