import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { CANARY, type Service, vcapServices } from '../../../lab/bindings.ts'
import { cookieIn } from '../../../lab/php/fastcgi.ts'
import type { Fpm } from '../../../lab/php/fpm.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { startSentinels } from '../../../lab/redis/sentinel.ts'
import { container, startFpmIn } from '../homes/container.ts'
import { type AskPage, PAGES } from './load/visitors.ts'
import { startClusterService, startRedisService } from './managed.ts'
import { startMemcachedService } from './managed-memcached.ts'
import type { PhpUnderTest } from './php.ts'

/** Pages of one visitor at a time: each prints what is left of its session. */
export const STEPS = {
  add: `session_start(); echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;`,
  look: `session_start(); echo $_SESSION['n'] ?? 'nobody';`,
  hold: `session_start(); error_log('held'); $_SESSION['n'] = 99; sleep(5);`,
  stay: `session_start(); error_log('held'); sleep(100);`,
  leave: `session_start(); echo isset($_SESSION['n']) ? 'left' : 'nobody'; session_destroy();`,
  rename: `session_start(); session_regenerate_id(true); echo $_SESSION['n'] ?? 'nobody';`,
} as const

/** A place for sessions: a service, or a directory for PHP's files. */
export type Place = { readonly service: Service } | { readonly directory: string }

/** Starts a place of a kind until the test ends, whose service has this name. */
export async function startPlace(kind: string, name: string): Promise<Place> {
  if (kind === 'files') {
    const scratch = makeScratch('files')
    chmodSync(scratch, 0o755)
    const directory = join(scratch, 'sessions')
    mkdirSync(directory)
    chmodSync(directory, 0o1777)
    return { directory }
  }
  const start = { cluster: startClusterService, memcached: startMemcachedService }[kind] ?? startRedisService
  const { service } = await start()
  const store = kind === 'memcached' ? kind : 'redis'
  return { service: { ...service, name: `${name}-${store}-sessions`, tags: [store] } }
}

/** Settings of an instance of an app: which services are bound to it, and what it sets. */
export interface Instance {
  readonly fpm: Fpm
  /** What its PHP has logged. */
  log(): string
  /** The path of a file that its start has written. */
  fileOf(name: string): string
  modeOf(name: string): number
}

/** Starts Sentinels until the test ends, whose service has this name. `failOver` has another server take the master's place. */
export async function startSentinelPlace(name: string) {
  const group = await startSentinels({ password: CANARY })
  onTestFinished(group.stop)
  const sentinels = group.sentinels.map(({ host, port }) => `${host}:${port}`)
  const credentials = { sentinels, master_name: group.masterName, password: CANARY }
  const failOver = async () => {
    // What the master has acknowledged is with its replica then: Redis replicates after it has answered.
    group.master().cli('CLIENT', 'PAUSE', '60000')
    await sleep(500)
    group.killMaster()
    await group.untilNewMaster()
  }
  return { service: { name: `${name}-redis-sessions`, tags: ['redis'], credentials }, failOver }
}

/** Starts an instance of the app with these places bound, the previous one first; `env` is what it sets. */
export async function startInstance(
  underTest: PhpUnderTest,
  places: readonly Place[],
  env: Readonly<Record<string, string>>,
  workers = 12,
): Promise<Instance> {
  const ini = makeScratch('ini')
  const extensions = underTest.loadExtensions('igbinary', 'msgpack', 'redis', 'memcached', 'posix')
  const path = places.flatMap((place) => ('directory' in place ? [place.directory] : []))[0]
  const files = path === undefined ? '' : `session.save_path = ${path}\n`
  const own = 'session.gc_probability = 0\nsession.name = PHPSESSIONID\nsession.use_strict_mode = 1\n'
  writeFileSync(join(ini, 'app.ini'), `zend_extension=opcache\n${extensions}${own}${files}`)
  const services = places.flatMap((place) => ('service' in place ? [place.service] : []))
  const bound = container({ PHP_INI_SCAN_DIR: ini, VCAP_SERVICES: vcapServices(...services), ...env })
  const log = join(bound.directory, 'tmp/php.log')
  writeFileSync(log, '')
  chmodSync(log, 0o666)
  const pool = { workers, lines: [`php_admin_value[error_log] = ${log}`] }
  const fpm = await startFpmIn(bound, { php: underTest.php, pool, pages: { ...PAGES, ...STEPS } })
  onTestFinished(fpm.stop)
  const fileOf = (name: string) => join(bound.stateDirectory(), name)
  return {
    fpm,
    log: () => readFileSync(log, 'utf8') + fpm.log(),
    fileOf,
    modeOf: (name) => statSync(fileOf(name)).mode & 0o777,
  }
}

/** A visitor whose requests go to any of the instances that serve now. */
export function bouncing(serving: () => readonly Instance[]): () => AskPage {
  return () => {
    let cookie = ''
    return async (page) => {
      const instances = serving()
      const { fpm } = instances[Math.floor(Math.random() * instances.length)] ?? {}
      const got = (await fpm?.ask(page, cookie)) ?? ''
      cookie = cookieIn(got) ?? cookie
      return got
    }
  }
}
