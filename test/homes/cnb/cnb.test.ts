import { parse } from 'smol-toml'
import { describe, expect, test } from 'vitest'
import { CANARY, redisService, vcapServices } from '../../../lab/bindings.ts'
import { main } from '../../../src/cli/main.ts'
import type { Program } from '../../../src/host/host.ts'
import { fakeHost } from '../../support/host/fake-host.ts'
import { type FakeAnswers, fakePhp } from '../../support/host/fake-php.ts'
import { fc } from '../../support/properties.ts'

const LAYERS = { CNB_LAYERS_DIR: '/layers' }
const redis = { VCAP_SERVICES: vcapServices(redisService) }
const noHost = { VCAP_SERVICES: vcapServices({ ...redisService, credentials: { password: CANARY } }) }

/** A PHP with these extensions for sessions: those that its ini files load, and those that are there. */
const php = (loaded: readonly string[], loadable: readonly string[], more: FakeAnswers['look-around'] = {}) =>
  fakePhp({ 'look-around': { phpredis: null, loaded, loadable, ...more } })
const ALL = ['igbinary', 'msgpack', 'redis', 'memcached']

const run = (host: ReturnType<typeof fakeHost>, command: string) => ({
  status: main(host, [command]),
  ...host.output,
})

describe('detect', () => {
  test.each([
    ['./composer.json', {}],
    ['./index.php', {}],
    ['./public/index.php', {}],
    ['site/htdocs/index.php', { BP_PHP_WEB_DIR: 'site/htdocs' }],
  ])('passes with %s', (file, env) => {
    expect(main(fakeHost(env, { [file]: '' }), ['cnb-detect'])).toBe(0)
  })

  test('an app without PHP is not for us, and that is no fault', () => {
    expect(run(fakeHost({}, { './index.js': '' }), 'cnb-detect')).toMatchSnapshot()
  })
})

describe('build', () => {
  test.each([{}, { CNB_LAYERS_DIR: '' }])(
    'without a directory for layers nothing is written: %j',
    (layers) => {
      const host = fakeHost({ ...layers, ...redis })
      expect(run(host, 'cnb-build')).toEqual({
        status: 2,
        out: '',
        err: 'expected a lifecycle that sets CNB_LAYERS_DIR (buildpack API 0.10), got none\n',
      })
      expect([...host.files]).toEqual([])
    },
  )

  test.each<[string, Record<string, string>]>([
    ['Redis', redis],
    ['nothing', {}],
    ['a service by name that may come at launch', { PHP_SESSIONS_SERVICE: 'later' }],
  ])('says what it found and what will happen: %s', (_name, env) => {
    const host = fakeHost({ ...LAYERS, ...env })
    const said = run(host, 'cnb-build')
    expect(said).toMatchSnapshot()
    expect(said.status).toBe(0)
    expect(said.out.trimEnd().split('\n').length).toBeLessThanOrEqual(6)
    expect(said.out + said.err + [...host.files.values()].join('')).not.toContain(CANARY)
  })

  test.each<[string, Record<string, string>, boolean]>([
    [
      'in the group',
      { '/layers/group.toml': '[[group]]\nid = "paketo-buildpacks/php-redis-session-handler"\n' },
      true,
    ],
    ['before this buildpack', { '/layers/paketo-buildpacks_php-memcached-session-handler/x.toml': '' }, true],
    ['nowhere', { '/layers/group.toml': '[[group]]\nid = "paketo-buildpacks/php-dist"\n' }, false],
  ])(
    "that nothing secret is in the image is said only where it is true: Paketo's handler %s",
    (_where, files, takesPart) => {
      const host = fakeHost({ CNB_LAYERS_DIR: '/layers/php-sessions', ...redis }, files)
      const { out, err } = run(host, 'cnb-build')
      expect(out.includes('nothing secret is in the image')).toBe(!takesPart)
      expect(err).toMatchSnapshot()
    },
  )

  test('writes one layer, for the launch only', () => {
    const host = fakeHost({ ...LAYERS, ...redis })
    main(host, ['cnb-build'])
    expect(Object.fromEntries(host.files)).toMatchSnapshot()
    expect(host.modes.get('/layers/php-sessions/exec.d/php-sessions')).toBe(0o755)
  })

  test.each<[string, Record<string, string>]>([
    ['no host', noHost],
    ['a service by name that is not among those bound', { ...redis, PHP_SESSIONS_SERVICE: 'other' }],
    ['an unknown setting', { PHP_SESSIONS_LOCKS: 'on' }],
  ])('a build that cannot work fails before anything is written: %s', (_name, env) => {
    const host = fakeHost({ ...LAYERS, ...env })
    expect(run(host, 'cnb-build')).toMatchSnapshot()
    expect(host.files.size).toBe(0)
  })
})

describe('launch', () => {
  const SCANNED = {
    CNB_APP_DIR: '/workspace',
    PHP_INI_SCAN_DIR: '/etc:/workspace/.php.ini.d:/layers/handler',
  }
  const INI = '/tmp/php-sessions-unique/00-php-sessions.ini'
  const LAST = '/tmp/php-sessions-unique/last/php-sessions-extensions.ini'

  test('our directory comes after those of all buildpacks and before that of the app', () => {
    const host = fakeHost({ ...SCANNED, ...redis }, {}, php([], ALL))
    expect(run(host, 'cnb-launch')).toMatchSnapshot()
    expect(host.modes.get(INI)).toBe(0o600)
    expect(host.directories.get('/tmp/php-sessions-unique')).toBe(0o700)
  })

  test("without the variable, PHP's own directory stays the first", () => {
    const host = fakeHost({ TMPDIR: '/t', ...redis }, {}, php([], ALL))
    expect(run(host, 'cnb-launch').out).toBe(
      'PHP_INI_SCAN_DIR = ":/t/php-sessions-unique:/t/php-sessions-unique/last"\n',
    )
  })

  test('an extension that another buildpack loads is not loaded again', () => {
    const host = fakeHost(redis, {}, php(['igbinary', 'redis'], ALL))
    expect(main(host, ['cnb-launch'])).toBe(0)
    expect(host.files.get(LAST)?.match(/^extension = .*$/gm)).toEqual(['extension = "msgpack"'])
  })

  test('locks last as long as the longest request of the PHP that was asked', () => {
    const host = fakeHost(redis, {}, php([], ALL, { maxExecutionSeconds: 90 }))
    expect(main(host, ['cnb-launch'])).toBe(0)
    expect(host.files.get(INI)).toContain('redis.session.lock_expire = 180')
  })

  test('nothing bound: nothing is written, one line says so', () => {
    const host = fakeHost(SCANNED, {}, php([], ALL))
    expect(run(host, 'cnb-launch')).toMatchSnapshot()
    expect(host.files.size + host.directories.size).toBe(0)
  })

  test.each<[string, Record<string, string>, ReturnType<typeof php>]>([
    ['no host', noHost, php([], ALL)],
    ['no extension', redis, php([], ['memcached'])],
    ['no PHP', redis, () => ({ status: 127, stdout: '' })],
  ])('what cannot work ends the start, or takes files where that is wanted: %s', (_name, env, answer) => {
    const host = fakeHost(env, {}, answer)
    expect(run(host, 'cnb-launch')).toMatchSnapshot()
    const lenient = fakeHost({ ...env, PHP_SESSIONS_ON_ERROR: 'files' }, {}, answer)
    expect(run(lenient, 'cnb-launch')).toMatchObject({
      status: 0,
      out: '',
      err: expect.stringMatching(
        /\(.*\)[\s\S]*PHP_SESSIONS_ON_ERROR=files: sessions are kept in local files, because .+\n$/,
      ),
    })
    expect(host.files.size + lenient.files.size).toBe(0)
  })

  test('what an earlier launch left is taken out again, for the PHP that is asked, too', () => {
    const asked: Program[] = []
    const scanned = { PHP_INI_SCAN_DIR: '/etc:/tmp/php-sessions-earlier' }
    const host = fakeHost({ ...scanned, ...redis }, {}, (command) => {
      asked.push(command)
      return php([], ALL)(command)
    })
    expect(run(host, 'cnb-launch').out).toBe(
      'PHP_INI_SCAN_DIR = "/etc:/tmp/php-sessions-unique:/tmp/php-sessions-unique/last"\n',
    )
    expect(asked[0]?.env).toMatchObject({ PHP_INI_SCAN_DIR: '/etc' })
    expect(run(fakeHost(scanned), 'cnb-launch').out).toBe('PHP_INI_SCAN_DIR = "/etc"\n')
  })

  test.each([
    [':/tmp/php-sessions-earlier', ':/tmp/php-sessions-unique:/tmp/php-sessions-unique/last'],
    ['/tmp/php-sessions-earlier', '/tmp/php-sessions-unique:/tmp/php-sessions-unique/last'],
  ])("a second launch scans PHP's own directory where the first did: %s", (before, after) => {
    const host = fakeHost({ PHP_INI_SCAN_DIR: before, ...redis }, {}, php([], ALL))
    expect(run(host, 'cnb-launch').out).toBe(`PHP_INI_SCAN_DIR = "${after}"\n`)
  })

  test('a framework with session drivers of its own gets its variables, whatever is in them', () => {
    const laravel = {
      '/workspace/composer.lock': '{"packages": [{"name": "laravel/framework", "version": "v10.48.4"}]}',
    }
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }), (password) => {
        fc.pre(!password.includes('\0') && password.isWellFormed())
        const credentials = { host: 'h', port: 6379, password }
        const services = { VCAP_SERVICES: vcapServices({ ...redisService, credentials }) }
        const host = fakeHost({ CNB_APP_DIR: '/workspace', ...services }, laravel, php([], ALL))
        expect(main(host, ['cnb-launch'])).toBe(0)
        expect(parse(host.output.out)).toMatchObject({ SESSION_DRIVER: 'redis', REDIS_PASSWORD: password })
      }),
    )
  })
})
