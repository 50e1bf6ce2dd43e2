import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CANARY, memcachedService, redisService, vcapServices } from '../../lab/bindings.ts'
import { makeScratch } from '../../lab/processes/scratch.ts'
import { main } from '../../src/cli/main.ts'
import { fakeHost } from '../support/fake-host.ts'
import { BUNDLE, EXECUTABLE } from '../support/homes/cloudfoundry.ts'
import { mutatedShapes } from '../support/mutations.ts'
import { fc, PROPERTY_RUNS } from '../support/properties.ts'
import { inVcapServices } from '../support/shapes.ts'

type Fixture = readonly [args: readonly string[], env?: Readonly<Record<string, string>>, options?: string]

const redis = { VCAP_SERVICES: vcapServices(redisService) }
const credentials = (more: object) => ({
  VCAP_SERVICES: vcapServices({ ...redisService, credentials: { ...more } }),
})

const FIXTURES: Readonly<Record<string, Fixture>> = {
  'no command': [[]],
  version: [['--version']],
  'help options': [['help', 'options']],
  'unknown command': [['lunch']],
  'unknown flag': [['ini', '--app-dir', 'x']],
  'nothing bound': [['ini']],
  redis: [['ini'], redis],
  'redis, another language': [
    ['ini'],
    credentials({ host: 'h', username: 'ünï 🐘', password: 'pä"\n\t\u2028' }),
  ],
  memcached: [['ini'], { VCAP_SERVICES: vcapServices(memcachedService) }],
  'memcached for PHP 5': [['ini', '--php-version', '5.6'], { VCAP_SERVICES: vcapServices(memcachedService) }],
  both: [['ini'], { VCAP_SERVICES: vcapServices(memcachedService, redisService) }],
  'options.json': [
    ['ini'],
    { VCAP_SERVICES: vcapServices({ ...redisService, name: 'x' }) },
    '{"PHP_SESSIONS_SERVICE":"x"}',
  ],
  'malformed options.json': [['ini'], redis, '{"password": "pw" php}'],
  'malformed VCAP_SERVICES': [['ini'], { VCAP_SERVICES: `{"a":"${CANARY.replaceAll('\\', '')}` }],
  'unknown option': [['ini'], { ...redis, PHP_SESSIONS_SERVISE: 'x' }],
  'ill-formed option': [['ini'], { ...redis, PHP_SESSIONS_LIFETIME: '1h' }],
  'no host': [['ini'], credentials({ port: 1 })],
  'a NUL': [['ini'], credentials({ host: 'h', password: 'a\0b' })],
  'half a character': [['ini'], credentials({ host: 'h', password: 'a\ud800' })],
  'a CredHub reference': [['ini'], credentials({ 'credhub-ref': '/c/x' })],
  'launch without PHP': [['launch'], { ...redis, HOME: '/nowhere', DEPS_DIR: '/nowhere' }],
  finalize: [['finalize', 'a', 'b', 'c', 'd', 'e']],
  'cnb-detect without an app': [['cnb-detect']],
  'cnb-build without a host': [['cnb-build'], credentials({ port: 1 })],
  'cnb-launch, nothing bound': [['cnb-launch']],
  'cnb-launch without PHP': [['cnb-launch'], { ...redis, PATH: '/nowhere' }],
  'a file in the way': [['ini', '--output', '/dev/null/x.ini'], redis],
  'no such directory': [['ini', '--output', '/nowhere/x.ini'], redis],
}

function run(command: readonly [string, ...string[]], [args, env = {}, options]: Fixture) {
  const cwd = makeScratch('host')
  if (options !== undefined) {
    mkdirSync(join(cwd, '.bp-config'))
    writeFileSync(join(cwd, '.bp-config/options.json'), options)
  }
  const [file, ...before] = command
  const { status, stdout, stderr } = spawnSync(file, [...before, ...args], { cwd, env, encoding: 'buffer' })
  return { status, stdout: stdout.toString('hex'), stderr: stderr.toString('hex') }
}

test.each(Object.entries(FIXTURES))('both hosts print the same, byte for byte: %s', (_name, fixture) => {
  const quickjs = run([EXECUTABLE], fixture)
  expect(quickjs).toEqual(run([process.execPath, BUNDLE], fixture))
  expect(quickjs.status).not.toBe(70)
})

test('both hosts write the same file, for its owner only', () => {
  const [executable, node] = [[EXECUTABLE] as const, [process.execPath, BUNDLE] as const].map(
    (command, i) => {
      const file = join(makeScratch('host'), `${i}.ini`)
      run([...command], [['ini', '--output', file], redis])
      expect(statSync(file).mode & 0o777).toBe(0o600)
      return readFileSync(file, 'hex')
    },
  )
  expect(executable).toBe(node)
  expect(executable?.length).toBeGreaterThan(0)
})

test(`the executable reads ${PROPERTY_RUNS} mutated bindings as Node does`, () => {
  fc.assert(
    fc.property(mutatedShapes, (shape) => {
      // No PHP is in PATH, as the fake host has none.
      const env: Record<string, string> = { ...inVcapServices(shape).env, PATH: '/nowhere' }
      // An environment cannot hold more.
      fc.pre((env.VCAP_SERVICES ?? '').length < 100_000)
      const host = fakeHost(env)
      const status = main(host, ['ini'])
      const { stdout, stderr, ...result } = spawnSync(EXECUTABLE, ['ini'], { env, encoding: 'utf8' })
      expect({ status: result.status, stdout, stderr }).toEqual({
        status,
        stdout: host.output.out.toWellFormed(),
        stderr: host.output.err.toWellFormed(),
      })
    }),
    { numRuns: PROPERTY_RUNS },
  )
}, 3_600_000)
