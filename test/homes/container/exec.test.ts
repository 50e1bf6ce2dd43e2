import { expect, test } from 'vitest'
import { CANARY, redisService, vcapServices } from '../../../lab/bindings.ts'
import { main } from '../../../src/cli/main.ts'
import { HostError } from '../../../src/host/host.ts'
import { type FakeHost, fakeHost } from '../../support/host/fake-host.ts'
import { fakePhp } from '../../support/host/fake-php.ts'

const redis = { VCAP_SERVICES: vcapServices(redisService) }
const DIRECTORY = '/tmp/php-sessions-unique'
const INI = `${DIRECTORY}/00-php-sessions.ini`
const PEM = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n'
const KEY = '-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n'

/** A host whose php has these extensions. */
const container = (
  env: Record<string, string>,
  loaded: readonly string[],
  loadable: readonly string[] = [],
) => fakeHost(env, {}, fakePhp({ 'look-around': { phpredis: '6.2.0', loaded, loadable } }))

/** Runs a command, and tells what was there while it ran. */
function exec(host: FakeHost, args: readonly string[] = ['--', 'php-fpm'], ended = 0) {
  const seen = { files: new Map<string, string>(), modes: {}, directories: {} }
  const supervise: FakeHost['supervise'] = (command, env) => {
    host.supervise(command, env)
    seen.files = new Map(host.files)
    seen.modes = Object.fromEntries(host.modes)
    seen.directories = Object.fromEntries(host.directories)
    return ended
  }
  const status = main({ ...host, supervise }, ['exec', ...args])
  return { status, ...host.output, supervised: host.supervised, ...seen }
}

test('with nothing bound the command runs as it is, and one line says so', () => {
  const { status, out, err, supervised, files, directories } = exec(fakeHost(), ['--', 'php', '-v'], 3)
  expect({ status, out }).toEqual({ status: 3, out: '' })
  expect(err).toMatch(/^php-sessions: sessions are kept in local files, because [^\n]*\n$/)
  expect(supervised).toEqual([{ command: ['php', '-v'], env: {} }])
  expect({ files: files.size, directories }).toEqual({ files: 0, directories: {} })
})

test('the ini is in a directory for its owner while the command runs, and gone afterwards', () => {
  const host = container(redis, ['redis'])
  const { status, out, err, supervised, files, modes, directories } = exec(host, ['--', 'php-fpm'], 143)
  expect({ status, out }).toEqual({ status: 143, out: '' })
  expect(err).toMatch(/^php-sessions: sessions are kept in Redis service app-redis-sessions [^\n]*\n$/)
  expect(supervised).toEqual([{ command: ['php-fpm'], env: { PHP_INI_SCAN_DIR: `:${DIRECTORY}` } }])
  expect({ modes, directories }).toEqual({ modes: { [INI]: 0o600 }, directories: { [DIRECTORY]: 0o700 } })
  expect(files.get(INI)).toContain('session.save_handler = "redis"')
  expect(files.get(INI)).not.toContain('extension = ')
  expect({ files: host.files.size, directories: host.directories.size }).toEqual({ files: 0, directories: 0 })
})

test('an extension that PHP has and does not load is loaded after all other ini files', () => {
  const { files } = exec(container(redis, ['igbinary'], ['igbinary', 'redis']))
  expect(files.get(`${DIRECTORY}/last/php-sessions-extensions.ini`)?.match(/^extension = .*$/gm)).toEqual([
    'extension = "redis"',
  ])
})

test('workers of another user can read a CA, and neither the ini nor a key', () => {
  const credentials = { host: 'h', tls_port: 6380, ca: PEM, client_cert: PEM, client_key: KEY }
  const services = { VCAP_SERVICES: vcapServices({ ...redisService, credentials }) }
  const { files, modes, directories } = exec(container(services, ['redis']))
  expect(directories).toEqual({ [DIRECTORY]: 0o711 })
  const secrets = [...files].filter(([, text]) => text.includes('PRIVATE KEY')).map(([path]) => path)
  expect(secrets).toHaveLength(1)
  expect(modes).toEqual(
    Object.fromEntries(
      [...files.keys()].map((path) => [path, path === INI || secrets.includes(path) ? 0o600 : 0o644]),
    ),
  )
  expect(files.size).toBe(3)
})

test('only the directories in the app are scanned after ours', () => {
  const env = { ...redis, PHP_INI_SCAN_DIR: ':/etc/app:/app-2:/app/ini' }
  const scanned = (...args: string[]) =>
    exec(container(env, ['redis']), [...args, '--', 'x']).supervised[0]?.env.PHP_INI_SCAN_DIR
  expect(exec(container({ ...redis, PHP_INI_SCAN_DIR: '' }, ['redis'])).supervised[0]?.env).toEqual({
    PHP_INI_SCAN_DIR: DIRECTORY,
  })
  expect(scanned('--app', '/app')).toBe(`:/etc/app:/app-2:${DIRECTORY}:/app/ini`)
  expect(scanned('--app', '/')).toBe(`:/etc/app:/app-2:/app/ini:${DIRECTORY}`)
})

test('words behind -- are not ours', () => {
  const { supervised } = exec(fakeHost(), ['--app', '/app', '--', 'php', '--help', '--', '--app', 'x'])
  expect(supervised[0]?.command).toEqual(['php', '--help', '--', '--app', 'x'])
})

test.each([
  [
    'a binding that cannot work',
    { VCAP_SERVICES: vcapServices({ ...redisService, credentials: {} }) },
    ['redis'],
  ],
  ['a PHP without the extension', redis, ['igbinary']],
] as const)('%s stops the start, unless PHP_SESSIONS_ON_ERROR=files', (_name, env, loaded) => {
  const stopped = exec(container(env, loaded))
  expect({ status: stopped.status, out: stopped.out, err: stopped.err }).toMatchSnapshot()
  expect(stopped).toMatchObject({ status: 1, supervised: [] })

  const host = container({ ...env, PHP_SESSIONS_ON_ERROR: 'files' }, loaded)
  const { status, err, supervised } = exec(host, undefined, 7)
  expect({ status, supervised }).toEqual({ status: 7, supervised: [{ command: ['php-fpm'], env: {} }] })
  expect(err).toMatch(
    /✗ .*\nphp-sessions: PHP_SESSIONS_ON_ERROR=files: sessions are kept in local files, because [^\n]+\n$/s,
  )
  expect(host.files.size).toBe(0)
})

test('without a PHP in PATH the store is configured all the same', () => {
  const { status, err, files, supervised } = exec(fakeHost(redis))
  expect({ status, commands: supervised.length }).toEqual({ status: 0, commands: 1 })
  expect(files.get(INI)).toContain('session.save_handler = "redis"')
  expect(err).toMatch(/^! php does not answer, .* extension redis {2}\(php.silent\)$/m)
})

test('without a PHP in PATH nobody can ask the Sentinels', () => {
  const env = { REDIS_URL: 'redis+sentinel://10.0.0.1:26379,10.0.0.2:26379/mymaster' }
  const { status, err, supervised } = exec(fakeHost({ ...env, PHP_SESSIONS_TOPOLOGY: 'sentinel' }))
  expect({ status, supervised }).toEqual({ status: 1, supervised: [] })
  expect(err).toContain('(php.silent)')
})

test.each([
  [2, 127],
  [13, 126],
  [8, 126],
])('a command that cannot be run, errno %i, is status %i as in a shell', (errno, expected) => {
  const host = container(redis, ['redis'])
  const { status, err } = exec(host, ['--', '/app/start'], -errno)
  expect(status).toBe(expected)
  expect(err.slice(err.indexOf('✗'))).toMatchSnapshot()
  expect(host.directories.size).toBe(0)
})

test('a disk that is full leaves no directory behind', () => {
  const host = container(redis, ['redis'])
  const writeFile = () => {
    throw new HostError('cannot write it: no space left on the device')
  }
  expect(main({ ...host, writeFile }, ['exec', '--', 'x'])).toBe(1)
  expect({ supervised: host.supervised, directories: host.directories.size }).toEqual({
    supervised: [],
    directories: 0,
  })
})

test('a host that waits in the background tidies up at the end, too', async () => {
  const host = container(redis, ['redis'])
  const status = main({ ...host, supervise: async () => 5 }, ['exec', '--', 'x'])
  expect(host.directories.size).toBe(1)
  expect({ status: await status, directories: host.directories.size }).toEqual({ status: 5, directories: 0 })
})

test.each([[[]], [['--']], [['php-fpm']], [['--app', '/app', 'php-fpm']]])('wrong usage: exec %j', (args) => {
  const { status, err, supervised } = exec(fakeHost(), args)
  expect({ status, supervised }).toEqual({ status: 2, supervised: [] })
  expect(err).toMatchSnapshot()
})

test('a framework with session drivers of its own is named, and gets its variables only when asked to', () => {
  const composer = { packages: [{ name: 'laravel/framework', version: 'v10.48.4' }] }
  const laravel = (env: Record<string, string>) => {
    const host = container({ ...redis, ...env }, ['redis'])
    host.files.set('/app/composer.lock', JSON.stringify(composer))
    const { err, supervised } = exec(host, ['--app', '/app', '--', 'php-fpm'])
    return { err, names: Object.keys(supervised[0]?.env ?? {}) }
  }
  const named = laravel({})
  expect(named.err).toContain('(framework.ignores)')
  expect(named.names).toEqual(['PHP_INI_SCAN_DIR'])
  const asked = laravel({ PHP_SESSIONS_FRAMEWORK: 'on' })
  expect(asked.err).toMatch(/Laravel .* has session drivers of its own: SESSION_DRIVER, .* are set for it/)
  expect(asked.names).toContain('SESSION_DRIVER')
  expect(asked.names).toContain('PHP_INI_SCAN_DIR')
})

test('the password is in the ini alone', () => {
  const { out, err, supervised, files } = exec(container(redis, ['redis']))
  expect(`${out}${err}${JSON.stringify(supervised)}`).not.toContain(CANARY.slice(0, 8))
  expect(files.size).toBe(1)
})

test('under another exec, its settings do not count, whatever is bound here', () => {
  const outer = { PHP_INI_SCAN_DIR: ':/etc/app:/tmp/php-sessions-1-outer' }
  const scannedWith = (env: Record<string, string>) =>
    exec(container({ ...outer, ...env }, ['redis'])).supervised[0]?.env.PHP_INI_SCAN_DIR
  expect(scannedWith({})).toBe(':/etc/app')
  expect(scannedWith(redis)).toBe(`:/etc/app:${DIRECTORY}`)
  const wrong = { VCAP_SERVICES: vcapServices({ ...redisService, credentials: {} }) }
  expect(scannedWith({ ...wrong, PHP_SESSIONS_ON_ERROR: 'files' })).toBe(':/etc/app')
})

test.each([
  [
    'php-fpm',
    '/usr/sbin/php-fpm8.2',
    '/usr/sbin:/usr/bin',
    'php-fpm8.2 is installed: php-sessions exec -- php-fpm8.2 -F',
  ],
  [
    'php-fpm',
    '/usr/sbin/php-fpm8.4',
    '/usr/bin',
    '/usr/sbin/php-fpm8.4 is installed: php-sessions exec -- /usr/sbin/php-fpm8.4 -F',
  ],
  ['php', '/usr/bin/php83', '/usr/bin', 'php83 is installed: php-sessions exec -- php83 -F'],
  ['httpd', '/usr/sbin/apache2', '/usr/sbin', 'apache2 is installed: php-sessions exec -- apache2 -F'],
  [
    'apachectl',
    '/usr/sbin/apache2ctl',
    '/usr/sbin',
    'apache2ctl is installed: php-sessions exec -- apache2ctl -F',
  ],
  ['php-fpm', '/usr/bin/phpdismod', '/usr/bin', 'see whether it is in PATH: command -v php-fpm'],
])('%s where the distribution calls it %s', (name, installed, PATH, fix) => {
  const host = container({ PATH }, [])
  host.files.set(installed, '')
  const { status, err } = exec(host, ['--', name, '-F'], -2)
  expect(status).toBe(127)
  expect(err).toContain(`    fix  ${fix}\n`)
})

test.each([
  [undefined, 'mount a tmpfs at /tmp, or set TMPDIR'],
  ['/var/tmp', 'make /var/tmp a directory with room that its user can write, or set TMPDIR'],
])(
  'no place for the files, TMPDIR %s: nothing is promised, and the message says what to do',
  (TMPDIR, fix) => {
    for (const failing of ['makeNewDirectory', 'writeFile'] as const) {
      const host = container({ ...redis, ...(TMPDIR !== undefined && { TMPDIR }) }, ['redis'])
      const refuse = () => {
        throw new HostError('cannot make it: the file system is read-only')
      }
      expect(main({ ...host, [failing]: refuse }, ['exec', '--', 'x'])).toBe(1)
      expect(host.output.err).toContain(`fix  ${fix}`)
      expect(host.output.err).not.toContain('sessions are kept')
      expect(host.supervised).toEqual([])
    }
  },
)

test('PHP cannot scan a directory with a colon in its path', () => {
  const { status, err } = exec(container({ ...redis, TMPDIR: '/a:b' }, ['redis']))
  expect(status).toBe(1)
  expect(err).toMatch(/cannot use \/a:b\/php-sessions-unique: .*\(file.access\)/)
  expect(err).not.toContain('sessions are kept')
})

test('a TMPDIR that is not absolute is completed, since PHP may run elsewhere', () => {
  const host = container({ ...redis, TMPDIR: 'tmp/' }, ['redis'])
  host.links.set('tmp/', '/app/tmp')
  expect(exec(host).supervised[0]?.env.PHP_INI_SCAN_DIR).toBe(':/app/tmp/php-sessions-unique')
})
