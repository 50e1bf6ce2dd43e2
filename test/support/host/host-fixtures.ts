import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CANARY, memcachedService, redisService, vcapServices } from '../../../lab/bindings.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'

/** A command line, its environment, and the app's options.json. */
type Fixture = readonly [args: readonly string[], env?: Readonly<Record<string, string>>, options?: string]

const redis = { VCAP_SERVICES: vcapServices(redisService) }
const credentials = (more: object) => ({
  VCAP_SERVICES: vcapServices({ ...redisService, credentials: { ...more } }),
})

/** What every build of the program must answer alike. */
export const HOST_FIXTURES: Readonly<Record<string, Fixture>> = {
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
  'cnb-build without a host': [['cnb-build'], { ...credentials({ port: 1 }), CNB_LAYERS_DIR: '/nowhere' }],
  'cnb-build without a lifecycle': [['cnb-build'], redis],
  'cnb-launch, nothing bound': [['cnb-launch']],
  'cnb-launch without PHP': [['cnb-launch'], { ...redis, PATH: '/nowhere' }],
  'a file in the way': [['ini', '--output', '/dev/null/x.ini'], redis],
  'no such directory': [['ini', '--output', '/nowhere/x.ini'], redis],
}

/** Runs a program on a fixture, in a directory of its own. */
export function runOn(command: readonly [string, ...string[]], [args, env = {}, options]: Fixture) {
  const cwd = makeScratch('host')
  if (options !== undefined) {
    mkdirSync(join(cwd, '.bp-config'))
    writeFileSync(join(cwd, '.bp-config/options.json'), options)
  }
  const [file, ...before] = command
  const { status, stdout, stderr } = spawnSync(file, [...before, ...args], { cwd, env, encoding: 'buffer' })
  return { status, stdout: stdout.toString('hex'), stderr: stderr.toString('hex') }
}
