import {
  type CloudFoundryHome,
  findCloudFoundryHome,
  iniDirectory,
  renderLaunchIni,
  writeIni,
} from '../homes/cloudfoundry/home.ts'
import { containerHome } from '../homes/container/home.ts'
import { addExtensions } from '../homes/extensions.ts'
import type { Home, Prepared } from '../homes/home.ts'
import { renderIniFile } from '../homes/ini-file.ts'
import { fillOwnDirectory, withoutScanning } from '../homes/own-directory.ts'
import type { Host } from '../host/host.ts'
import { type PhpStart, startOf } from '../php/ask.ts'
import { descendsFrom, type Master, parentOf } from '../php/web/php-fpm.ts'

/** A home that `watch` follows: one under `exec`, or Cloud Foundry's. */
export interface WatchedHome extends Home {
  /** The directory with the ini file of php-sessions, an absolute path. */
  readonly iniDirectory: string
  /** The texts that the ini file may have when it says what was prepared. */
  renderInis(prepared: Prepared): readonly string[]
  /** Starts a PHP that has the extension that the plan needs. */
  phpFor(prepared: Prepared): PhpStart
  write(prepared: Prepared): void
  /** The process that exec has started, where the home is one under `exec`. */
  readonly command?: number | undefined
  /** Whether a php-fpm reads that ini file. */
  isOurs(master: Master): boolean
}

/** The host as if PHP_SESSIONS_WATCH were on, for the flag of exec. */
export function withWatch(host: Host): Host {
  return { ...host, env: { ...host.env, PHP_SESSIONS_WATCH: 'on' } }
}

/** What `exec` knows: the PHP to ask, its command, and the group of php-fpm's workers. */
export interface Executed {
  readonly php?: PhpStart | undefined
  readonly command?: number | undefined
  readonly group?: number | undefined
  /** Whether that group reads the ini, too. */
  readonly readsIni?: boolean
}

/** The home of processes below `exec`, with the directory that it made. */
export function watchedByExec(
  given: Host,
  app: string,
  directory: string,
  { php = startOf(), command, group, readsIni = false }: Executed = {},
): WatchedHome {
  const host = withoutScanning(
    withWatch(given),
    (path) => `${path}/`.startsWith(`${directory}/`),
    `${directory}/none`,
  )
  const parent = parentOf(host, 'self')
  return {
    ...containerHome(host, {
      app,
      filesDirectory: directory,
      php,
      findReaders: () => ({ findings: [], group, readsIni }),
    }),
    iniDirectory: directory,
    command,
    isOurs: ({ pid }) => descendsFrom(host, pid, parent),
    renderInis: ({ plan }) => [renderIniFile(plan)],
    phpFor: (prepared) => {
      const { first, last } = addExtensions(prepared)
      const store = prepared.plan.planned?.store.name
      // PHP loads these after its ini files, in which the store's extension may have been tried in vain.
      const extensions = first.length === 0 || store === undefined ? last : [...first, store]
      return {
        ...php,
        command: [...php.command, ...extensions.flatMap((name) => ['-d', `extension=${name}`])],
      }
    },
    write: (prepared) => fillOwnDirectory(host, prepared, directory),
  }
}

/** The home with the PHP of php_buildpack; undefined where php_buildpack has not installed one. */
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
    phpFor: ({ plan }) => phpHome.startWith(plan.extensions),
    write: (prepared) => writeIni(host, phpHome, prepared),
  }
}
