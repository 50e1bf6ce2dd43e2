import type { Finding } from '../core/finding.ts'
import { iniDirectory, planLaunch, renderLaunchIni, writeIni } from '../homes/cloudfoundry/launch.ts'
import { findPhpHome } from '../homes/cloudfoundry/php.ts'
import {
  checkExtension,
  extensionsToLoad,
  fillOwnDirectory,
  planOwnDirectory,
  renderOwnIni,
  withoutScanning,
} from '../homes/own-directory.ts'
import type { Host } from '../host/host.ts'
import type { Patience } from '../php/look-around.ts'
import { descendsFrom, type Master, parentOf } from '../php/php-fpm.ts'
import { type ReadPlan, readPlan } from '../php/read-plan.ts'
import type { Plan } from '../plan/plan.ts'

/** The settings for what is bound now, not written yet. */
export interface Candidate {
  readonly plan: Plan
  readonly findings: readonly Finding[]
  /** The texts that our ini file has when it is this one. */
  readonly inis: readonly string[]
  /** Starts a PHP that has the extension that the plan needs. */
  readonly php: readonly string[]
  /** Whether a framework got variables at the start, which no reload changes. */
  readonly hasVariables: boolean
  write(): void
}

/** What `watch` looks after: once for `exec`, once for Cloud Foundry. */
export interface Watched {
  /** Where our ini file is, an absolute path. */
  readonly directory: string
  /** Where the files are that it names. */
  readonly filesDirectory: string
  /** Runs PHP as it is without us. */
  readonly host: Host
  /** Reads what is bound; asks nobody. */
  read(): ReadPlan
  /** Makes the settings for what is bound, with the files of the plan in this directory. */
  prepare(directory: string): Candidate
  /** Whether a php-fpm reads our ini file. */
  isOurs(master: Master): boolean
}

/** The Sentinels are asked again in two seconds. */
const PATIENCE: Patience = { all: 1, each: 1 }

/** The host where the user has asked for it by exec's flag. */
export function withWatch(host: Host): Host {
  return { ...host, env: { ...host.env, PHP_SESSIONS_WATCH: 'on' } }
}

/** A directory that `exec` has made, for the processes below it; `owner` is the user of php-fpm's workers. */
export function watchedByExec(given: Host, app: string, directory: string, owner?: number): Watched {
  const host = withoutScanning(withWatch(given), (path) => path === directory, `${directory}/none`)
  const parent = parentOf(host, 'self')
  return {
    directory,
    filesDirectory: directory,
    host,
    read: () => readPlan(host, app, { directory }),
    isOurs: ({ pid }) => descendsFrom(host, pid, parent),
    prepare: (at) => {
      const { plan, inside, bypass, framework } = planOwnDirectory(host, app, at, false, PATIENCE)
      const extension =
        inside?.hasAnswered === true
          ? checkExtension(inside, (name) => `install the extension ${name} and start again`)
          : []
      const toLoad = inside === undefined ? [] : extensionsToLoad(inside)
      return {
        plan,
        findings: [...plan.findings, ...extension, ...bypass],
        inis: inside === undefined ? [] : [renderOwnIni(inside)],
        php: ['php', ...toLoad.flatMap((name) => ['-d', `extension=${name}`])],
        hasVariables: framework.variables.length > 0,
        write: () => {
          if (inside !== undefined) fillOwnDirectory(host, inside, at, owner)
        },
      }
    },
  }
}

/** The directory of php_buildpack's PHP; undefined where there is none. */
export function watchedOnCloudFoundry(host: Host): Watched | undefined {
  const home = findPhpHome(host)
  if (home === undefined) return undefined
  const container = `${host.env.HOME}/`.replace(/[^/]+\/+$/, '')
  const directory = iniDirectory(home)
  return {
    directory,
    host,
    filesDirectory: home.filesDirectory,
    read: () => readPlan(host, host.env.HOME ?? '.', { php: home.php, directory: home.filesDirectory }),
    isOurs: ({ configuration }) => configuration.startsWith(container),
    prepare: (at) => {
      const { plan, findings, framework } = planLaunch(host, home, at, PATIENCE)
      const memcached = plan.planned?.store.name === 'memcached' ? ['-d', 'extension=memcached'] : []
      return {
        plan,
        findings,
        inis: renderLaunchIni(home, plan).texts,
        php: [...home.command, ...memcached],
        hasVariables: framework.variables.length > 0,
        write: () => void writeIni(host, home, plan),
      }
    },
  }
}
