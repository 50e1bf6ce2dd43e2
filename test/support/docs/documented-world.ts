import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { vcapServices } from '../../../lab/bindings.ts'
import { askFpm, cookieIn } from '../../../lab/php/fastcgi.ts'
import { startFpm } from '../../../lab/php/fpm.ts'
import { machinePhp } from '../../../lab/php/installed.ts'
import { writeProgram } from '../../../lab/processes/program.ts'
import { until } from '../../../lab/processes/until.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { makeMachine } from '../doctor/machine.ts'
import { BUNDLE, EXECUTABLE } from '../homes/cloudfoundry.ts'
import { configureManaged } from '../php/managed.ts'
import { PHPS, type PhpUnderTest } from '../php/php.ts'
import type { Run } from './runs.ts'

/** The machine on which the commands of the pages are run: an app, its PHP, the services and sessions that they name. */
export interface DocumentedWorld {
  /** The directory of the app, in which commands run. */
  readonly app: string
  /** The environment of a command. */
  env(run: Run): Readonly<Record<string, string | undefined>>
  /** Gives both stores the sessions of the beginning. */
  fill(): void
  /** Starts the requests of two visitors, seven in all; each visitor's take turns. Gives what ends them. */
  startRequests(): Promise<() => Promise<unknown>>
  stop(): Promise<unknown>
}

const PASSWORD = 'p w+1'
const KEY = 'PHPREDIS_SESSION:'
const ADA = '8f14e45fceea167a5a36dedd4bea2543'
const USER = 'O:8:"App\\User":2:{s:5:"email";s:9:"a@b.co.uk";s:5:"admin";b:0;}'
const LOGGED_IN = `user_id|i:42;name|s:11:"Ada Byron K";user|${USER}`
const BOT = 'csrf|s:32:"0123456789abcdef0123456789abcdef";'
/** Seconds that sessions have left, with a lifetime of 24 minutes: some are in each row of the table of ages. */
const TIMES_LEFT = [1435, 1300, 1290, 900, 890, 880, 300, 290]
const REQUESTS = [
  ['POST', '/export', 5],
  ['GET', '/poll', 2],
] as const

export async function makeDocumentedWorld(): Promise<DocumentedWorld> {
  const php = PHPS[0]?.[1] as PhpUnderTest
  const [redis, old] = await Promise.all([
    startRedis({ password: PASSWORD }),
    startRedis({ password: PASSWORD }),
  ])
  const serviceOf = (name: string, { port }: typeof redis) => ({
    name,
    credentials: { host: '127.0.0.1', port, password: PASSWORD },
  })
  const service = serviceOf('app-redis-sessions', redis)
  const oldService = serviceOf('old-redis-sessions', old)
  const machine = await makeMachine({ services: [service], app: 'zend_extension = opcache\n' })
  const programs = (name: string) => join(machine.directory, name)
  const app = join(machine.directory, 'app')
  mkdirSync(programs('npm'))
  symlinkSync(EXECUTABLE, programs('bin/php-sessions'))
  writeProgram(programs('npm/php-sessions'), { file: process.execPath, args: [BUNDLE], env: {} })
  writeFileSync(
    programs('fpm.conf'),
    `[global]\ndaemonize = no\nprocess_control_timeout = 8\nerror_log = /proc/self/fd/2\n[www]\nlisten = ${programs('fpm.sock')}\npm = static\npm.max_children = 1\n`,
  )
  const asRoot = process.getuid?.() === 0 ? ['-R'] : []
  writeProgram(programs('bin/php-fpm'), machinePhp().fpm([...asRoot, '-y', programs('fpm.conf')], {}))
  const put = (cli: typeof redis.cli, id: string, seconds: number, data: string) =>
    cli('SETEX', `${KEY}${id}`, String(seconds), data)
  return {
    app,
    env: ({ withOld, withNode, withRequests }) =>
      withNode
        ? { ...process.env, PATH: `${programs('npm')}:${process.env.PATH}` }
        : {
            ...machine.env,
            VCAP_SERVICES: vcapServices(service, ...(withOld ? [oldService] : [])),
            ...(withOld ? { PHP_SESSIONS_SERVICE: service.name } : {}),
            ...(withRequests ? { PHP_SESSIONS_HANDLER: 'managed' } : {}),
            SHELL: '/bin/sh',
          },
    fill: () => {
      for (const { cli } of [redis, old]) cli('FLUSHALL')
      put(redis.cli, ADA, 1200, LOGGED_IN)
      put(redis.cli, 'phone', 1100, LOGGED_IN)
      TIMES_LEFT.forEach((seconds, i) => {
        put(redis.cli, `bot${i}`, seconds, BOT)
      })
      for (const id of ['one', 'two', 'three']) put(old.cli, id, 1000, BOT)
    },
    startRequests: async () => {
      const go = join(app, 'go')
      rmSync(go, { force: true })
      const fpm = await startFpm({
        php: php.php,
        ini: () => configureManaged(php, service),
        pools: [
          { workers: REQUESTS.reduce((sum, [, , count]) => sum + count, 0), lines: ['clear_env = no'] },
        ],
        env: { CF_INSTANCE_INDEX: '1' },
        pages: {
          begin: 'session_start();',
          hold: `session_start(); while (!file_exists('${go}')) { usleep(5000); clearstatcache(); }`,
        },
      })
      const requests: Promise<unknown>[] = []
      for (const [method, path, count] of REQUESTS) {
        const cookie = cookieIn(await fpm.ask('begin')) ?? ''
        const key = `${KEY}${cookie.split('=')[1]}`
        const ask = () =>
          askFpm(fpm.ports[0] ?? 0, join(fpm.directory, 'hold.php'), cookie, {
            REQUEST_METHOD: method,
            REQUEST_URI: path,
          })
        requests.push(ask())
        await until('a lock', () => redis.cli('EXISTS', `${key}_LOCK`) === '1')
        for (let i = 1; i < count; i++) requests.push(ask())
        await until('requests to wait', () => redis.cli('ZCARD', `${key}_WAIT`) === String(count - 1))
      }
      return async () => {
        writeFileSync(go, '')
        await Promise.all(requests)
        await fpm.stop()
      }
    },
    stop: () => Promise.all([redis.stop(), old.stop()]),
  }
}
