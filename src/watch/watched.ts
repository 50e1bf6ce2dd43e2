import {
  type CloudFoundryHome,
  findCloudFoundryHome,
  iniDirectory,
  renderLaunchIni,
  writeIni,
} from '../homes/cloudfoundry/home.ts'
import { containerHome } from '../homes/container/home.ts'
import type { Home, Prepared } from '../homes/home.ts'
import { extensionsToLoad, fillOwnDirectory, renderOwnIni, withoutScanning } from '../homes/own-directory.ts'
import type { Host } from '../host/host.ts'
import { descendsFrom, type Master, parentOf } from '../php/php-fpm.ts'

/** A home that `watch` looks after: one under `exec`, or Cloud Foundry's. */
export interface WatchedHome extends Home {
  /** Where our ini file is, an absolute path. */
  readonly iniDirectory: string
  /** The texts that our ini file has when it says what was prepared. */
  renderInis(prepared: Prepared): readonly string[]
  /** Starts a PHP that has the extension that the plan needs. */
  phpFor(prepared: Prepared): readonly string[]
  write(prepared: Prepared): void
  /** Whether a php-fpm reads our ini file. */
  isOurs(master: Master): boolean
}

/** The host where the user has asked for it by exec's flag. */
export function withWatch(host: Host): Host {
  return { ...host, env: { ...host.env, PHP_SESSIONS_WATCH: 'on' } }
}

/** A directory that `exec` has made, for the processes below it; `owner` is the user of php-fpm's workers. */
export function watchedByExec(given: Host, app: string, directory: string, owner?: number): WatchedHome {
  const host = withoutScanning(withWatch(given), (path) => path === directory, `${directory}/none`)
  const parent = parentOf(host, 'self')
  return {
    ...containerHome(host, {
      app,
      filesDirectory: directory,
      findReaders: () => ({ findings: [], owner }),
    }),
    iniDirectory: directory,
    isOurs: ({ pid }) => descendsFrom(host, pid, parent),
    renderInis: (prepared) => [renderOwnIni(prepared)],
    phpFor: (prepared) => [
      'php',
      ...extensionsToLoad(prepared).flatMap((name) => ['-d', `extension=${name}`]),
    ],
    write: (prepared) => fillOwnDirectory(host, prepared, directory),
  }
}

/** The directory of php_buildpack's PHP; undefined where there is none. */
export function watchedOnCloudFoundry(host: Host): WatchedHome | undefined {
  const home: CloudFoundryHome = findCloudFoundryHome(host)
  const { phpHome } = home
  if (phpHome === undefined) return undefined
  const container = `${host.env.HOME}/`.replace(/[^/]+\/+$/, '')
  return {
    ...home,
    iniDirectory: iniDirectory(phpHome),
    isOurs: ({ configuration }) => configuration.startsWith(container),
    renderInis: ({ plan }) => renderLaunchIni(phpHome, plan).texts,
    phpFor: ({ plan }) => phpHome.commandWith(plan.extensions),
    write: (prepared) => writeIni(host, phpHome, prepared),
  }
}
