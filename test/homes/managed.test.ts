import { describe, expect, test } from 'vitest'
import { CANARY, redisService, vcapServices } from '../../lab/bindings.ts'
import { main } from '../../src/cli/main.ts'
import { APPS } from '../frameworks/apps.ts'
import { HANDLER, PHP_8_1, STORE, written } from '../support/homes/written.ts'
import { type FakeHost, fakeHost } from '../support/host/fake-host.ts'
import { type FakeAnswers, fakePhp } from '../support/host/fake-php.ts'

const managed = { PHP_SESSIONS_HANDLER: 'managed', VCAP_SERVICES: vcapServices(redisService) }
const settings = (ini = '', name: string) =>
  new RegExp(`^${name.replace('.', '\\.')} = "(.*)"$`, 'm').exec(ini)?.[1]

describe('php_buildpack 5', () => {
  const ETC = '/deps/1/php/etc'
  const SCANNED = `${ETC}/php.ini.d`
  const container = (
    files: Record<string, string> = {},
    env: Record<string, string> = managed,
    api = PHP_8_1,
  ) =>
    fakeHost(
      { HOME: '/app', DEPS_DIR: '/deps', TMPDIR: '/tmp', ...env },
      {
        [`${ETC}/php.ini`]: 'auto_prepend_file =\n',
        [`${SCANNED}/include-path.ini`]: '',
        [`/deps/1/php/lib/php/extensions/${api}/redis.so`]: '',
        ...files,
      },
    )
  const launch = (host: FakeHost) => ({ status: main(host, ['launch']), err: host.output.err })

  test('the handler and its settings are next to the ini; only the settings are secret', () => {
    const host = container()
    expect(launch(host)).toMatchObject({ status: 0, err: expect.not.stringContaining('!') })
    expect(written(host, SCANNED)).toEqual({
      [HANDLER]: '644',
      [STORE]: '600',
      '00-php-sessions.ini': '600',
      'zz-php-sessions.ini': '644',
    })
    const ini = host.files.get(`${SCANNED}/00-php-sessions.ini`)
    expect(settings(ini, 'auto_prepend_file')).toBe(`${SCANNED}/${HANDLER}`)
    expect(settings(ini, 'php_sessions.store')).toBe(`${SCANNED}/${STORE}`)
    expect(settings(ini, 'session.save_handler')).toBe('redis')
    expect(ini).not.toContain('php_sessions.auto_prepend_file')
    const outputs = `${host.output.out}${host.output.err}${host.files.get(`${SCANNED}/${HANDLER}`)}`
    expect(outputs).not.toContain(CANARY.slice(0, 8))
  })

  test('a second start changes nothing, and does not take ours for a file of the app', () => {
    const host = container()
    launch(host)
    const after = new Map(host.files)
    expect(launch(host).status).toBe(0)
    expect(host.files).toEqual(after)
  })

  test.each([
    ['auto_prepend_file = /app/first.php', '/app/first.php'],
    [`auto_prepend_file = '/app/first.php' ; mine`, '/app/first.php'],
    ['auto_prepend_file = "${HOME}/first.php"', '/app/first.php'],
    ['auto_prepend_file = none', undefined],
    [';auto_prepend_file = /app/first.php', undefined],
  ])("the app's own, in php.ini as %s, is handed on", (line, expected) => {
    const host = container({ [`${ETC}/php.ini`]: `${line}\n` })
    expect(launch(host).status).toBe(0)
    expect(settings(host.files.get(`${SCANNED}/00-php-sessions.ini`), 'php_sessions.auto_prepend_file')).toBe(
      expected,
    )
  })

  test('an ini file of the app that sorts after ours wins, and the start says so', () => {
    const file = { [`${SCANNED}/mine.ini`]: 'auto_prepend_file = /app/first.php\n' }
    expect(launch(container(file)).err).toMatchSnapshot()
    const chained = { ...file, '/app/first.php': `<?php require '/x/${HANDLER}';` }
    expect(launch(container(chained)).err).not.toContain('handler.bypassed')
    const first = { [`${SCANNED}/00-first.ini`]: 'auto_prepend_file = /app/first.php\n' }
    const host = container(first)
    expect(launch(host).err).not.toContain('handler.bypassed')
    const ini = host.files.get(`${SCANNED}/00-php-sessions.ini`)
    expect(settings(ini, 'php_sessions.auto_prepend_file')).toBe('/app/first.php')
  })

  test.each(['/app/.user.ini', '/app/htdocs/.user.ini'])('%s wins, and the start says so', (path) => {
    expect(launch(container({ [path]: 'auto_prepend_file = x.php' })).err).toContain('(handler.bypassed)')
  })

  test('PHP 8.0 keeps the native handler, with a warning', () => {
    const host = container({}, managed, 'no-debug-non-zts-20200930')
    expect(launch(host).err).toContain('(handler.native)')
    expect(written(host, SCANNED)).toEqual({ '00-php-sessions.ini': '600', 'zz-php-sessions.ini': '644' })
  })

  test.each([
    ['the native handler', { ...managed, PHP_SESSIONS_HANDLER: 'native' }],
    ['nothing bound', { ...managed, VCAP_SERVICES: '{}' }],
  ])('what an earlier start wrote is removed: %s', (_name, env) => {
    const host = container()
    launch(host)
    const later = container(Object.fromEntries(host.files), env)
    expect(launch(later).status).toBe(0)
    expect([...later.files.keys()].filter((path) => /handler\.php|store\.php/.test(path))).toEqual([])
  })
})

test('php_buildpack 4 does not get at the files, which its start would rewrite while PHP reads them', () => {
  const host = fakeHost(
    { HOME: '/app', DEPS_DIR: '/deps', TMPDIR: '/tmp', ...managed },
    {
      '/app/php/etc/php.ini': 'auto_prepend_file = "@{HOME}/first.php"\n',
      '/app/php/etc/php.ini.d/x.ini': '',
      [`/app/php/lib/php/extensions/${PHP_8_1}/redis.so`]: '',
    },
  )
  expect(main(host, ['launch'])).toBe(0)
  expect(written(host, '/tmp/php-sessions')).toEqual({ [HANDLER]: '644', [STORE]: '600' })
  const ini = host.files.get('/app/php/etc/php.ini.d/00-php-sessions.ini')
  expect(settings(ini, 'auto_prepend_file')).toBe(`/tmp/php-sessions/${HANDLER}`)
  expect(settings(ini, 'php_sessions.auto_prepend_file')).toBe('/app/first.php')
  expect(host.files.get(`/tmp/php-sessions/${STORE}`)).toContain('#=@@')
})

describe('a PHP that is asked', () => {
  const DIRECTORY = '/tmp/php-sessions-unique'
  const asked = (
    answer: FakeAnswers['look-around'] = {},
    env: Record<string, string> = {},
    files: Record<string, string> = {},
  ) => {
    const common = { versionId: 80401, phpredis: '6.2.0', loaded: ['redis'] }
    return fakeHost({ ...managed, ...env }, files, fakePhp({ 'look-around': { ...common, ...answer } }))
  }
  const lines = [
    { name: 'auto_prepend_file', value: '/etc/first.php', from: '/etc/php.ini:3' },
    { name: 'auto_prepend_file', value: '/app/second.php', from: '/app/ini/x.ini:1' },
  ]

  /** Runs exec or the exec.d program, and tells what was there while the command ran. */
  const start = (host: FakeHost, ...args: string[]) => {
    let seen = { files: host.files, modes: host.modes }
    const supervise = () => {
      seen = { files: new Map(host.files), modes: new Map(host.modes) }
      return 0
    }
    const status = main({ ...host, supervise }, args)
    return { status, err: host.output.err, ini: seen.files.get(`${DIRECTORY}/00-php-sessions.ini`), ...seen }
  }

  test.each<[string, string[], Record<string, string>]>([
    ['exec', ['exec', '--app', '/app', '--', 'php-fpm'], {}],
    ['Cloud Native Buildpacks', ['cnb-launch'], { launcher: '600' }],
  ])('%s: the files are next to the ini', (_name, args, more) => {
    const { status, ini, ...seen } = start(asked({}, { CNB_APP_DIR: '/app' }), ...args)
    expect(status).toBe(0)
    expect(written(seen, DIRECTORY)).toEqual({
      [HANDLER]: '644',
      [STORE]: '600',
      '00-php-sessions.ini': '600',
      ...more,
    })
    expect(settings(ini, 'auto_prepend_file')).toBe(`${DIRECTORY}/${HANDLER}`)
  })

  test.each([
    ['exec', ['exec', '--app', '/app', '--', 'php-fpm']],
    ['Cloud Native Buildpacks', ['cnb-launch']],
  ])("%s: a file that the image's PHP runs first is handed on, one of the app wins", (_name, args) => {
    const handedOn = start(asked({ lines: lines.slice(0, 1) }, { CNB_APP_DIR: '/app' }), ...args)
    expect(settings(handedOn.ini, 'php_sessions.auto_prepend_file')).toBe('/etc/first.php')
    expect(handedOn.err).not.toContain('handler.')
    const { err, ini } = start(asked({ lines }, { CNB_APP_DIR: '/app' }), ...args)
    expect(err).toMatch(/ to \/app\/second\.php, .*\(handler\.bypassed\)\n {4}from \/app\/ini\/x\.ini:1\n/)
    expect(settings(ini, 'session.save_path')).toContain('auth=')
    expect(ini).not.toContain('php_sessions')
  })

  test('PHP 8.0 keeps the native handler, with a warning', () => {
    const { status, err, ini } = start(asked({ versionId: 80030 }), 'exec', '--', 'php-fpm')
    expect(status).toBe(0)
    expect(err).toContain('(handler.native)')
    expect(ini).not.toContain('auto_prepend_file')
  })

  test('ini --output writes the files beside its own', () => {
    const host = asked({
      lines: [{ name: 'auto_prepend_file', value: '/etc/first.php', from: '/etc/conf.d/10-x.ini:1' }],
    })
    expect(main(host, ['ini', '--output', '/etc/conf.d/50-php-sessions.ini'])).toBe(0)
    expect(written(host, '/etc/conf.d')).toEqual({
      [HANDLER]: '644',
      [STORE]: '600',
      '50-php-sessions.ini': '600',
    })
    const ini = host.files.get('/etc/conf.d/50-php-sessions.ini')
    expect(settings(ini, 'php_sessions.auto_prepend_file')).toBe('/etc/first.php')
    expect(settings(ini, 'session.save_path')).not.toContain('auth')
  })

  test('ini --output reads the files next to its own, which the PHP that it asks may not read', () => {
    const host = asked({}, {}, { '/etc/conf.d/99-x.ini': '\n auto_prepend_file = "/etc/last.php"\n' })
    expect(main(host, ['ini', '--output', '/etc/conf.d/50-php-sessions.ini'])).toBe(0)
    expect(host.output.err).toMatch(/\(handler\.bypassed\)\n {4}from \/etc\/conf\.d\/99-x\.ini:2\n/)
    expect(written(host, '/etc/conf.d')).toEqual({ '50-php-sessions.ini': '600' })
    expect(host.files.get('/etc/conf.d/50-php-sessions.ini')).toContain('auth=')
  })

  test('an app whose settings read the password from session.save_path gets a warning that it has none', () => {
    const [id, , files] = APPS.find(([name]) => name === 'codeigniter3') ?? ['', '', {}]
    expect(id).toBe('codeigniter3')
    const app = Object.fromEntries(Object.entries(files).map(([path, text]) => [`/app/${path}`, text]))
    const service = { ...redisService, credentials: { host: 'redis.example', password: 'pw' } }
    const bound = { VCAP_SERVICES: vcapServices(service) }
    const advice = (handler: string) =>
      start(
        asked({}, { ...bound, PHP_SESSIONS_HANDLER: handler }, app),
        'exec',
        '--app',
        '/app',
        '--',
        'php-fpm',
      ).err
    expect(advice('managed')).toMatch(
      /fix {2}set PHP_SESSIONS_HANDLER=native, as .*ini_get\('session\.save_path'\)/,
    )
    expect(advice('native')).toMatch(/fix {2}in .*ini_get\('session\.save_path'\)/)
  })

  test('ini prints nothing that would name a handler which is not there', () => {
    const host = asked()
    expect({ status: main(host, ['ini']), ...host.output }).toMatchSnapshot()
  })

  test('ini prints nothing that would name a CA which is not there, and which others could put there', () => {
    const credentials = {
      host: 'h',
      tls_port: 6380,
      ca: '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n',
    }
    const env = {
      PHP_SESSIONS_HANDLER: 'native',
      VCAP_SERVICES: vcapServices({ ...redisService, credentials }),
    }
    const host = asked({}, env)
    expect({ status: main(host, ['ini']), out: host.output.out }).toEqual({ status: 1, out: '' })
    expect(host.output.err).toMatch(/^✗ .*\(ini\.files\)$/m)
    expect(main(asked({}, env), ['ini', '--output', '/etc/conf.d/50-php-sessions.ini'])).toBe(0)
  })
})
