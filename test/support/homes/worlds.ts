import { type Service, vcapServices } from '../../../lab/bindings.ts'
import { main } from '../../../src/cli/main.ts'
import { renderValue } from '../../../src/core/formats/ini.ts'
import type { Program } from '../../../src/host/host.ts'
import type { PoolLine } from '../../../src/php/answers.ts'
import { watchedByExec, watchedOnCloudFoundry } from '../../../src/watch/watched.ts'
import { WELL } from '../../doctor/answers.ts'
import { type FakeHost, fakeHost } from '../host/fake-host.ts'
import { fakePhp } from '../host/fake-php.ts'
import { FPM, poolFiles } from '../pools.ts'

/** What is bound and which PHP serves the app; the same in every home. */
export interface World {
  readonly service?: Service
  readonly env?: Readonly<Record<string, string>>
  /** Below the app's directory. */
  readonly files?: Readonly<Record<string, string>>
  readonly php?: Partial<WorldPhp>
  readonly pools?: readonly PoolLine[]
  /** What ini files set that PHP reads before that of php-sessions, and after it. */
  readonly before?: Readonly<Record<string, string>>
  readonly later?: Readonly<Record<string, string>>
  /** Findings that must be among those said. */
  readonly finds?: readonly string[]
  /** Where PHP connects. */
  readonly place?: string
}

/** A PHP, as it says of itself, and which of the extensions for sessions are installed. */
export interface WorldPhp {
  readonly answers: boolean
  readonly extensions: readonly string[]
  readonly locksSettings: boolean
  readonly fpm: typeof FPM
  readonly versionId: number
  readonly hangsInTls13: boolean
  readonly phpredis: string | null
  readonly maxExecutionSeconds: number
  readonly codecs?: readonly string[]
  /** What `-d` in a script that is called php sets. */
  readonly definitions?: Readonly<Record<string, string>>
}

const PHP: WorldPhp = {
  answers: true,
  extensions: ['redis', 'memcached'],
  locksSettings: false,
  fpm: FPM,
  versionId: 80236,
  hangsInTls13: false,
  phpredis: '6.2.0',
  maxExecutionSeconds: 30,
}
/** Answers as the PHP of a world does when it is asked what a plan depends on, and to nothing else. */
function answerIn({ php, before = {}, later = {} }: World, ini: string) {
  const { answers, extensions, ...facts } = { ...PHP, ...php }
  if (!answers) return () => ({ status: 255, stdout: '' })
  return (command: Program) => {
    const hasInis = !command.args.includes('-n')
    const answer = {
      ...facts,
      maxExecutionSeconds: hasInis ? facts.maxExecutionSeconds : null,
      definitions: hasInis ? (facts.definitions ?? {}) : {},
      lines: hasInis ? [...linesFrom(before, '/etc/php/php.ini'), ...linesFrom(later, ini)] : [],
      loaded: extensions,
      master:
        facts.phpredis !== null && command.stdin.includes('sentinels')
          ? { host: '10.0.0.9', port: 6390 }
          : null,
    }
    return fakePhp({ 'look-around': answer, settings: WELL.settings, session: { step: 'done' } })(command)
  }
}

const linesFrom = (values: Readonly<Record<string, string>>, path: string) =>
  Object.entries(values).map(([name, value], i) => ({ name, value, from: `${path}:${i + 1}` }))

const textOf = (values: Readonly<Record<string, string>> = {}) =>
  Object.entries(values)
    .map(([name, value]) => `${name} = ${renderValue(value)}\n`)
    .join('')

/** What stands in the name of the directory of the extensions of each version. */
const APIS: Readonly<Record<number, string>> = {
  704: '20190902',
  800: '20200930',
  801: '20210902',
  802: '20220829',
  803: '20230831',
  804: '20240924',
  805: '20250925',
}

/** Each home: its host, how an app starts in it, and what its watcher looks after. */
export const HOMES = {
  'Cloud Foundry': {
    host: (world: World) => {
      const { versionId, maxExecutionSeconds, extensions: installed } = { ...PHP, ...world.php }
      const php = '/deps/1/php'
      const extensions = `${php}/lib/php/extensions/no-debug-non-zts-${APIS[Math.floor(versionId / 100)]}`
      const env = { VCAP_APPLICATION: '{}', HOME: '/app', DEPS_DIR: '/deps', TMPDIR: '/tmp' }
      return hostOf(world, env, {
        ...poolFiles(world.pools ?? [], `${php}/etc/php-fpm.conf`),
        [`${php}/etc/php.ini`]: `${textOf(world.before)}max_execution_time = ${maxExecutionSeconds}\n`,
        [`${php}/etc/php.ini.d/90-app.ini`]: textOf(world.later),
        [`${extensions}/session.so`]: '',
        ...Object.fromEntries(installed.map((name) => [`${extensions}/${name}.so`, ''])),
      })
    },
    start: ['launch'],
    ini: '/deps/1/php/etc/php.ini.d/00-php-sessions.ini',
    watched: watchedOnCloudFoundry,
  },
  'an image of Cloud Native Buildpacks': {
    host: (world: World) => hostOf(world, { CNB_PLATFORM_API: '0.12', CNB_APP_DIR: '/app' }),
    start: ['cnb-launch'],
    ini: '/tmp/php-sessions-unique/00-php-sessions.ini',
    watched: undefined,
  },
  'a container': {
    // What exec wrote is looked at after its command has ended.
    host: (world: World) => ({
      ...hostOf(world, { KUBERNETES_SERVICE_HOST: '127.0.0.1' }),
      removeDirectory: () => undefined,
    }),
    start: ['exec', '--app', '/app', '--', 'php-fpm'],
    ini: '/tmp/php-sessions-unique/00-php-sessions.ini',
    watched: (host: FakeHost) => watchedByExec(host, '/app', '/tmp/php-sessions-unique'),
  },
  'a machine': {
    host: (world: World) => hostOf(world, {}),
    start: ['ini', '--app', '/app', '--output', '/etc/php/conf.d/00-php-sessions.ini'],
    ini: '/etc/php/conf.d/00-php-sessions.ini',
    watched: undefined,
  },
} as const

function hostOf(world: World, env: Record<string, string>, files: Record<string, string> = {}): FakeHost {
  const ofApp = Object.entries(world.files ?? {}).map(([path, text]) => [`/app/${path}`, text])
  const services = world.service === undefined ? {} : { VCAP_SERVICES: vcapServices(world.service) }
  const later =
    'KUBERNETES_SERVICE_HOST' in env || 'CNB_APP_DIR' in env
      ? '/app/conf/x.ini'
      : '/etc/php/conf.d/90-app.ini'
  return fakeHost(
    { ...env, ...services, ...world.env },
    { ...poolFiles(world.pools ?? []), ...files, ...Object.fromEntries(ofApp) },
    answerIn(world, later),
  )
}

/** What a command says will be: its settings without what only it can know, its handler, its findings. */
interface Said {
  readonly settings: Readonly<Record<string, string>>
  readonly findings: readonly string[]
  readonly works: boolean
}

/** Where a sentence says that the sessions are, as `host:port, host:port`. */
const placeIn = (text: string) => /service \S+ (?:\(|at )(.*?)\)?, because/.exec(text)?.[1]

/** The save_path is secret, and `explain` cannot know it behind Sentinels. Paths differ by the home's directory. */
export const comparable = (settings: readonly (readonly [name: string, value: string])[]) =>
  Object.fromEntries(
    settings
      .filter(([name]) => name !== 'session.save_path' && name !== 'extension' && !/sasl_password/.test(name))
      .map(([name, value]) => [name, value.replace(/^.*\/(?=php-sessions-)/, '')]),
  )

export function startIn(host: FakeHost, { start, ini }: { start: readonly string[]; ini: string }) {
  const status = main(host, start)
  const text = host.files.get(ini) ?? ''
  const settings = [...text.matchAll(/^([a-z_.0-9]+) = "?(.*?)"?$/gm)].map(
    ([, name = '', value = '']) => [name, value] as const,
  )
  const findings = [...host.output.err.matchAll(/\(([a-z0-9]+\.[a-z0-9-]+)\)$/gm)].map(([, id = '']) => id)
  const said: Said = { settings: comparable(settings), findings: findings.sort(), works: status === 0 }
  return { said, place: placeIn(text) }
}

export function askIn(host: FakeHost, command: 'explain' | 'doctor') {
  const args = command === 'explain' ? [command, '--json'] : [command, '--json', 'binding.plan']
  const appFlag = host.env.VCAP_APPLICATION === undefined ? ['--app', '/app'] : []
  const status = main(host, [...args, ...appFlag])
  const json = JSON.parse(host.output.out) as {
    handler: string | null
    directives: { name: string; value: unknown }[]
    findings: { id: string }[]
    checks?: { title: string }[]
  }
  const asText = (value: unknown) => (value === true ? 'On' : value === false ? 'Off' : String(value))
  return {
    handler: json.handler,
    settings: comparable(json.directives.map(({ name, value }) => [name, asText(value)] as const)),
    findings: json.findings.map(({ id }) => id).sort(),
    works: status === 0,
    place: placeIn(json.checks?.[0]?.title ?? ''),
  }
}
