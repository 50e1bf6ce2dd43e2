import { describe, expect, test } from 'vitest'
import { CANARY, redisService, showsCanary } from '../../lab/bindings.ts'
import { main } from '../../src/cli/main.ts'
import type { PoolLine } from '../../src/php/answers.ts'
import { makeWatcher } from '../../src/watch/watch.ts'
import { askIn, HOMES, startIn, type World } from '../support/homes/worlds.ts'
import type { FakeHost } from '../support/host/fake-host.ts'

const WWW = '/etc/php-fpm.d/www.conf'
const line = (kind: string, name: string, value: string, number: number, pool = 'www'): PoolLine => ({
  ...{ pool, kind, name, value },
  from: `${pool === 'www' ? WWW : `/etc/php-fpm.d/${pool}.conf`}:${number}`,
})
/** A password that php-sessions does not know, and so cannot mask. */
const UNKNOWN = 'of-another-server'
const OTHER = `tcp://10.1.1.1:6379?auth=${UNKNOWN}`
const LISTEN = line('', 'listen', '9000', 41)
const RHEL = [
  LISTEN,
  line('php_value', 'session.save_handler', 'files', 430),
  line('php_value', 'session.save_path', '/var/lib/php/session', 431),
]
const FILES = { 'session.save_handler': 'files', 'session.save_path': '/tmp' }

/** Worlds in which a line wins over the plan, or nothing is planned: what is said of them, besides the path of a home. */
const WORLDS: Readonly<Record<string, World & { readonly says: string }>> = {
  'the www.conf of RHEL': {
    service: redisService,
    pools: RHEL,
    says: `sessions are kept in local files, because ${WWW}:430 sets session.save_handler to files`,
    finds: ['php.overridden'],
  },
  'another server in a pool, with a password': {
    service: redisService,
    pools: [line('php_admin_value', 'session.save_path', OTHER, 9)],
    says: `sessions are kept in tcp://10.1.1.1:6379 by PHP's handler redis, because ${WWW}:9 sets session.save_path to tcp://10.1.1.1:6379`,
    finds: ['php.overridden'],
  },
  'a php.ini that PHP reads before the settings of php-sessions': {
    service: redisService,
    before: FILES,
    says: 'sessions are kept in Redis service app-redis-sessions (10.0.4.30:6379), because its name contains redis-sessions',
  },
  'one pool of two': {
    service: redisService,
    pools: [...RHEL, line('', 'listen', '9001', 5, 'shop')],
    says: `; but pages of the pool www keep them in local files, because ${WWW}:430 sets session.save_handler to files`,
    finds: ['php.overridden'],
  },
  'a later ini file': {
    service: redisService,
    later: FILES,
    says: 'sessions are kept in local files, because INI:1 sets session.save_handler to files',
    finds: ['php.overridden'],
  },
  '.user.ini': {
    service: redisService,
    files: { '.user.ini': 'session.save_handler = files\nsession.save_path = "/tmp"\n' },
    says: '; but pages below /app keep them in local files, because /app/.user.ini:1 sets session.save_handler to files',
    finds: ['php.overridden'],
  },
  'a managed handler that a pool keeps from running': {
    service: redisService,
    env: { PHP_SESSIONS_HANDLER: 'managed' },
    pools: RHEL,
    says: `sessions are kept in local files, because ${WWW}:430 sets session.save_handler to files`,
    finds: ['handler.blocked'],
  },
  'a managed handler, which reads no path of a pool': {
    service: redisService,
    env: { PHP_SESSIONS_HANDLER: 'managed' },
    pools: [line('php_value', 'session.save_path', OTHER, 9)],
    says: 'sessions are kept in Redis service app-redis-sessions (10.0.4.30:6379), because its name contains redis-sessions',
  },
  'a php-fpm that never ends a request': {
    service: redisService,
    pools: [LISTEN],
    says: 'sessions are kept in Redis service app-redis-sessions (10.0.4.30:6379), because its name contains redis-sessions',
    finds: ['php.hanging'],
  },
  'a pool that cannot keep a session': {
    service: redisService,
    pools: [line('php_value', 'session.save_handler', 'files', 430)],
    says: '',
    finds: ['php.overridden'],
  },
  'a pool with the path of local files, and not their handler': {
    service: redisService,
    pools: [line('php_value', 'session.save_path', '/var/lib/php/session', 431)],
    says: '',
    finds: ['php.overridden'],
  },
  'a pool that cannot keep a session, beside one with local files': {
    service: redisService,
    pools: [
      ...RHEL,
      line('', 'request_terminate_timeout', '60', 432),
      line('', 'listen', '9001', 5, 'shop'),
      line('', 'request_terminate_timeout', '60', 6, 'shop'),
      line('php_value', 'session.save_handler', 'files', 7, 'shop'),
    ],
    says: '',
    finds: ['php.overridden'],
  },
  'nothing bound': {
    before: FILES,
    says: 'sessions are kept in local files, because no ',
  },
  'nothing bound, but php.ini names a server, as after a build with a handler of another buildpack': {
    before: { 'session.save_handler': 'redis', 'session.save_path': OTHER },
    says: "sessions are kept in tcp://10.1.1.1:6379 by PHP's handler redis, because INI:1 sets session.save_handler to redis, and no ",
  },
  'nothing bound, and a later ini file names local files again': {
    before: { 'session.save_handler': 'redis', 'session.save_path': OTHER },
    later: FILES,
    says: 'sessions are kept in local files, because no ',
  },
  'nothing bound, and a later ini file names another server': {
    before: { 'session.save_handler': 'redis', 'session.save_path': OTHER },
    later: { 'session.save_path': 'tcp://10.1.1.9:6379' },
    says: "sessions are kept in tcp://10.1.1.9:6379 by PHP's handler redis, because INI:1 sets session.save_handler to redis, and no ",
  },
  'nothing bound, but a pool names a server': {
    pools: [
      line('php_value', 'session.save_handler', 'memcached', 7),
      line('php_value', 'session.save_path', '10.1.1.2:11211', 8),
    ],
    says: `sessions are kept in 10.1.1.2:11211 by PHP's handler memcached, because ${WWW}:7 sets session.save_handler to memcached, and no `,
  },
}

const withoutHome = (text: string) =>
  text.replace(/(?:\/deps\/1\/php\/etc\/php\.ini|\/etc\/php\/php\.ini|\/\S+\/(?:90-app|x)\.ini):/g, 'INI:')

/** The sentence that says where the sessions are, as a start or a watcher has it. */
const sentenceIn = (text: string) => {
  const said = [...text.matchAll(/^php-sessions: (?:new settings: )?(sessions are kept .*)$/gm)].at(-1)?.[1]
  return said === undefined ? undefined : withoutHome(said)
}

function textOf(host: FakeHost, command: string): string {
  main(host, [command, ...(host.env.VCAP_APPLICATION === undefined ? ['--app', '/app'] : [])])
  return host.output.out
}

describe.each(Object.entries(HOMES))('in %s', (_home, home) => {
  test.each(Object.entries(WORLDS))('all say what PHP does: %s', (_world, { says, ...world }) => {
    const host = home.host(world)
    const { said } = startIn(host, home)
    const started = sentenceIn(host.output.err)
    if (home.start[0] !== 'ini' && says !== '') expect(started).toContain(says)
    expect(said.findings).toEqual(expect.arrayContaining([...(world.finds ?? [])]))
    expect(said.works).toBe(says !== '')
    expect(host.output.err).not.toContain(UNKNOWN)
    expect(showsCanary(host.output.err)).toBe(false)
    expect(host.files.get(home.ini) ?? '').not.toContain('sessions are kept')

    const explained = textOf(home.host(world), 'explain')
    expect(withoutHome(explained.trim().split('\n').at(-1) ?? '').toLowerCase()).toContain(
      says === '' ? 'a start would fail: ' : says.toLowerCase(),
    )
    expect(new Set(askIn(home.host(world), 'explain').findings)).toEqual(new Set(said.findings))
    const told = textOf(home.host(world), 'doctor')
    const [cause = ''] = /(?<=, because )\S+(?= sets )/.exec(says) ?? []
    const overrides = /\nSettings of the app that override these\n(?: .*\n)*/.exec(explained)?.[0] ?? ''
    if (world.service !== undefined && cause !== '')
      expect(withoutHome(overrides)).toMatch(new RegExp(`  from ${cause}(, for .*)?$`, 'm'))
    expect(withoutHome(told)).toContain(cause)
    expect(explained + told).not.toContain(UNKNOWN)
    expect(showsCanary(explained + told)).toBe(false)

    const watched = home.watched?.(host)
    if (watched === undefined || says === '' || world.service === undefined) return
    host.files.delete(home.ini)
    host.output.err = ''
    makeWatcher(host, watched)()
    expect(sentenceIn(host.output.err)).toBe(started)
  })

  test('a start without the binding that cannot work says where php.ini keeps the sessions', () => {
    const host = home.host({
      service: { ...redisService, credentials: { password: CANARY } },
      env: { PHP_SESSIONS_ON_ERROR: 'files' },
      before: { 'session.save_handler': 'redis', 'session.save_path': OTHER },
    })
    startIn(host, home)
    const [, said] = /^php-sessions: (PHP_SESSIONS_ON_ERROR=files: .*)$/m.exec(host.output.err) ?? []
    if (home.start[0] === 'ini') return
    expect(withoutHome(said ?? '')).toContain(
      "PHP_SESSIONS_ON_ERROR=files: sessions are kept in tcp://10.1.1.1:6379 by PHP's handler redis, because INI:1 sets session.save_handler to redis, and ",
    )
    expect(host.output.err).not.toContain(UNKNOWN)
    expect(showsCanary(host.output.err)).toBe(false)
  })
})

// php_buildpack's PHP is none, and need not be asked.
test.each(Object.entries(HOMES).filter(([name]) => name !== 'Cloud Foundry'))(
  'in %s what a script that is called php sets counts',
  (_name, home) => {
    const world = { service: redisService, php: { definitions: FILES } }
    const { said } = startIn(home.host(world), home)
    expect(said.findings).toContain('php.overridden')
    const { findings } = askIn(home.host(world), 'explain')
    expect(findings).toEqual(said.findings)
    expect(textOf(home.host(world), 'explain')).toContain(
      'because -d session.save_handler in what starts PHP sets session.save_handler to files',
    )
  },
)

test.each([
  ['decide nothing', 'session.save_path = "/tmp"\n', [...RHEL, line('', 'listen', '9001', 5, 'shop')]],
  ['say what the pool says', 'session.save_handler = files\nsession.save_path = "/tmp"\n', RHEL],
])('pages whose own lines %s are not named', (_what, userIni, pools) => {
  const world = { service: redisService, pools, files: { '.user.ini': userIni } }
  const explained = textOf(HOMES['a machine'].host(world), 'explain')
  expect(explained).toContain(`because ${WWW}:430 sets session.save_handler to files`)
  expect(explained.trim().split('\n').at(-1)).not.toContain('pages below')
  expect(explained).toContain(
    pools === RHEL ? '! sessions are kept' : '! the sessions of the pool www are kept',
  )
})

test.each([
  ['session.save_path', '/tmp', 'session.save_handler'],
  ['session.save_handler', 'files', 'session.save_path'],
])('where a pool sets %s alone, the fix names the other one', (name, value, other) => {
  const world = { service: redisService, pools: [line('php_value', name, value, 430)] }
  const explained = textOf(HOMES['a machine'].host(world), 'explain')
  expect(explained).toContain(`${name} is ${value} there, and ${other} is that of Redis service`)
  expect(explained).toContain(`remove that line, or also set ${other} there`)
})
