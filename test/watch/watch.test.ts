import { expect, test } from 'vitest'
import { redisService, SESSION_KEY, vcapServices } from '../../lab/bindings.ts'
import { main } from '../../src/cli/main.ts'
import { prepare } from '../../src/homes/home.ts'
import { HostError } from '../../src/host/host.ts'
import type { SessionAnswer } from '../../src/php/answers.ts'
import { makeComplaint } from '../../src/watch/complaint.ts'
import { makeWatcher } from '../../src/watch/watch.ts'
import { watchedByExec } from '../../src/watch/watched.ts'
import { fakeHost } from '../support/host/fake-host.ts'
import { fakePhp } from '../support/host/fake-php.ts'
import { processStat, processStatus } from '../support/processes.ts'

const DIRECTORY = '/tmp/php-sessions-own'
const INI = `${DIRECTORY}/00-php-sessions.ini`
const FILE = '/bindings/vcap_services'
const OTHER = { ...redisService, credentials: { host: 'other', port: 6379, password: 'n3w-password' } }
const PHP_FPM = {
  '/proc/self/stat': processStat(9, 'php-sessions', 1),
  '/proc/self/status': processStatus(33),
  '/proc/20/cmdline': 'php-fpm: master process (/etc/fpm.conf)\0\0\0',
  '/proc/20/stat': processStat(20, 'php-fpm', 1),
  '/proc/20/status': processStatus(33),
}

/** A container whose PHP can keep sessions, or says why not; `bind` changes what is bound, `look` is a second. */
function watched(
  trial: Partial<SessionAnswer> = { step: 'done' },
  timeout = 8,
  { env = {}, files = {} }: { env?: Record<string, string>; files?: Record<string, string> } = {},
) {
  const answer = fakePhp({ session: trial, 'look-around': { phpredis: '6.2.0', loaded: ['redis'] } })
  const host = fakeHost(
    { VCAP_SERVICES_FILE_PATH: FILE, ...env },
    {
      ...PHP_FPM,
      ...files,
      [FILE]: vcapServices(redisService),
      '/etc/fpm.conf': `[global]\nprocess_control_timeout = ${timeout}s\n`,
    },
    answer,
  )
  host.links.set('/proc/20/exe', '/usr/sbin/php-fpm')
  host.statuses.set('/usr/sbin/php-fpm', { mode: 0o755 })
  host.files.set('/usr/sbin/php-fpm', '')
  let seconds = 0
  const clocked = { ...host, now: () => seconds }
  const home = watchedByExec(clocked, '/app', DIRECTORY)
  home.write(prepare(home))
  const step = makeWatcher(clocked, home)
  const look = (times = 1) => {
    for (let i = 0; i < times; i++) {
      step()
      seconds++
    }
    return host.output.err
  }
  const bind = (text: string) => host.files.set(FILE, text)
  return { host, clocked, look, bind }
}

test('settings already in use are left alone', () => {
  const { host, look } = watched()
  const before = host.files.get(INI)
  expect(look(5)).toBe('')
  expect({ ini: host.files.get(INI), sent: host.sent }).toEqual({ ini: before, sent: [] })
})

test('new credentials are written once they have been tried, and php-fpm is told once', () => {
  const { host, look, bind } = watched()
  look()
  bind(vcapServices(OTHER))
  expect(look(3)).toMatchSnapshot()
  expect(host.files.get(INI)).toContain('auth=n3w-password')
  expect(host.modes.get(INI)).toBe(0o600)
  expect(host.sent).toEqual(['SIGUSR2 20'])
  expect(host.output.err).not.toContain('n3w')
})

test.each<[string, string, Partial<SessionAnswer> | undefined]>([
  ['cannot be read', vcapServices({ ...redisService, credentials: {} }), undefined],
  ['is no JSON', '{', undefined],
  ['is gone', '{}', undefined],
  ['is refused', vcapServices(OTHER), { step: 'start', error: 'WRONGPASS invalid password' }],
])('a binding that %s changes nothing, and is said again after minutes', (_name, text, trial) => {
  const { host, look, bind } = watched(trial)
  look()
  const before = host.files.get(INI)
  bind(text)
  expect(look(2)).toMatchSnapshot()
  const once = host.output.err
  look(50)
  expect(host.output.err).toBe(once)
  look(200)
  expect(host.output.err.length).toBeGreaterThan(once.length)
  expect({ ini: host.files.get(INI), sent: host.sent }).toEqual({ ini: before, sent: [] })
  bind(vcapServices(redisService))
  expect(look(2)).toMatch(/php-sessions: recovered: sessions are kept in Redis .*\n$/)
})

test('php-fpm is not told before it takes the signal, which would end it', () => {
  const { host, look, bind } = watched()
  host.files.set('/proc/20/status', processStatus(33, '0000000000000000'))
  bind(vcapServices(OTHER))
  look(3)
  expect(host.sent).toEqual([])
  host.files.set('/proc/20/status', PHP_FPM['/proc/20/status'])
  look()
  expect(host.sent).toEqual(['SIGUSR2 20'])
})

test('a php-fpm that would cut requests off is named when it has started, once', () => {
  const { look, bind } = watched(undefined, 0)
  expect(look(3)).toMatchSnapshot()
  bind(vcapServices(OTHER))
  expect(look(3).match(/watch\.timeout/g)).toHaveLength(1)
})

test('where no php-fpm runs it says so once', () => {
  const { host, look, bind } = watched()
  host.files.delete('/proc/20/cmdline')
  bind(vcapServices(OTHER))
  const said = look(120)
  expect(said.match(/no php-fpm is running here/g)).toHaveLength(1)
})

test('what another has written over ours is written again', () => {
  const { host, look } = watched()
  look(2)
  const right = host.files.get(INI)
  host.files.set(INI, 'session.save_handler = files')
  look(2)
  expect(host.files.get(INI)).toBe(right)
})

test('a disk that is full is said, and tried again', () => {
  const { host, look, bind } = watched()
  look()
  bind(vcapServices(OTHER))
  const { set } = host.files
  let isFull = true
  host.files.set = (path, text) => {
    if (isFull && path.startsWith(DIRECTORY)) throw new HostError(`cannot write ${path}: no space left`)
    return set.call(host.files, path, text)
  }
  expect(look(3)).toMatch(/^✗ cannot write .*no space left {2}\(file\.access\)$/m)
  isFull = false
  look(3)
  expect(host.sent).toEqual(['SIGUSR2 20'])
})

test('the same complaint comes after 1, 2, 4 minutes and then every hour, a new one at once', () => {
  const host = fakeHost()
  let now = 0
  const complaint = makeComplaint({ ...host, now: () => now })
  const at: number[] = []
  for (; now < 4 * 3600; now++) {
    const before = host.output.err.length
    complaint.about('✗ a\n')
    if (host.output.err.length > before) at.push(now / 60)
  }
  expect(at).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183])
  host.output.err = ''
  complaint.about('✗ b\n')
  complaint.end('over\n')
  complaint.end('over\n')
  expect(host.output.err).toBe('✗ b\nover\n')
})

test('exec --watch starts the watcher for its directory, also where nothing is bound yet', () => {
  for (const [args, env] of [
    [['exec', '--watch', '--app', '/app', '--', 'php-fpm'], {}],
    [['exec', '--app', '/app', '--', 'php-fpm'], { PHP_SESSIONS_WATCH: 'on' }],
  ] as const) {
    const host = fakeHost(env)
    expect(main(host, args)).toBe(0)
    expect(host.supervised).toEqual([
      {
        command: ['php-fpm'],
        // The watcher may write extensions there while PHP runs.
        env: {
          PHP_INI_SCAN_DIR:
            '/tmp/php-sessions-unique/first::/tmp/php-sessions-unique:/tmp/php-sessions-unique/last',
        },
        watcher: ['watch', '--app', '/app', '--directory', '/tmp/php-sessions-unique', '--php', 'php'],
      },
    ])
  }
})

test('a key for encrypting sessions is rotated in its file, and is said nowhere', () => {
  const [older, newer] = [
    SESSION_KEY,
    'f07e6d5c4b3a29180f6e5d4c3b2a1908f7e6d5c4b3a2918001122334455667788'.slice(0, 64),
  ]
  const { host, look } = watched(undefined, 8, {
    env: { PHP_SESSIONS_ENCRYPTION_KEY: 'file:/key' },
    files: { '/key': older },
  })
  const store = () => host.files.get(`${DIRECTORY}/php-sessions-store.php`) ?? ''
  look()
  expect([store().includes(older), store().includes(newer)]).toEqual([true, false])
  host.files.set('/key', `${newer}\n${older}\n`)
  expect(look(3)).toContain('php-sessions: new settings: ')
  expect(store().indexOf(newer)).toBeGreaterThan(0)
  expect(store().indexOf(older)).toBeGreaterThan(store().indexOf(newer))
  expect(host.modes.get(`${DIRECTORY}/php-sessions-store.php`)).toBe(0o600)
  host.files.set('/key', 'short')
  expect(look(3)).toContain('(encryption.key)')
  expect(store()).toContain(newer)
  expect(host.output.err).not.toMatch(new RegExp(`${older}|${newer}|short`))
})
