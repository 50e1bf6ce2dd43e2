import type { Finding } from '../core/finding.ts'
import { DEFAULT_PHP } from '../core/php.ts'
import { type Host, HostError } from '../host/host.ts'
import { makeTemporary, temporaryDirectory } from '../host/temporary.ts'
import { type PhpStart, startOf } from '../php/ask.ts'
import type { CompletePlan, TargetPhp } from '../php/complete.ts'
import { addExtensions, renderExtensions } from './extensions.ts'
import type { Prepared } from './home.ts'
import { INI_NAME, renderIniFile } from './ini-file.ts'
import { writeFiles } from './write-files.ts'

/** The PHP of a command, most often that in PATH. It is told to scan a directory of php-sessions before the app's. */
export function phpToScan(
  host: Host,
  app: string,
  php: PhpStart = startOf(),
  fpm: TargetPhp['fpm'] = undefined,
): TargetPhp {
  return {
    start: php,
    known: DEFAULT_PHP,
    isKnown: false,
    isReadLater: isBelow(host, app),
    lines: [],
    fpm: php.isApache === true ? [] : fpm,
  }
}

/** Where a PHP is, for messages. */
export function placeOfPhp({ command: [file] }: PhpStart): string {
  return file.includes('/') ? file : `the ${file} in PATH`
}

/**
 * Checks that PHP, if it has answered, can load the extension for the sessions. `fix` says where users of the platform
 * get an extension.
 */
export function checkExtension(
  { plan, facts }: CompletePlan,
  php: PhpStart,
  fix: (name: string) => string,
): readonly Finding[] {
  const store = plan.planned?.store
  if (store === undefined || facts === undefined) return []
  if ([...facts.loaded, ...facts.loadable].includes(store.name)) return []
  return [
    {
      id: 'php.extension',
      level: 'error',
      title: `this PHP has no extension ${store.name}, which sessions in ${store.title} need`,
      from: `${placeOfPhp(php)}, which has no ${store.name}.so in its extension_dir`,
      fix: fix(store.name),
    },
  ]
}

/** The directories in the one of php-sessions whose ini files PHP reads before all others, and after them. */
const FIRST = 'first'
const LAST = 'last'
const EXTENSIONS_NAME = 'php-sessions-extensions.ini'

/** Names a new directory for the settings of one start: an absolute path, from wherever PHP runs. */
export function nameOwnDirectory(host: Host): string {
  const temporary = temporaryDirectory(host)
  const absolute = temporary.startsWith('/') ? temporary : (host.realPath(temporary) ?? temporary)
  return `${absolute.replace(/\/+$/, '')}/php-sessions-${host.uniqueWord()}`
}

/** Makes such a directory and fills it; removes it if that fails. */
export function makeOwnDirectory(
  host: Host,
  directory: string,
  access: { readonly mode: number; readonly group?: number | undefined },
  fill: () => void,
): void {
  if (directory.includes(':'))
    throw new HostError(
      `cannot use ${directory}: PHP ends the path of a directory at a colon`,
      'set TMPDIR to a directory without a colon in its path',
    )
  makeTemporary(host, directory, access, fill)
}

/** Writes the ini files, and the files that they name, into a directory that PHP will be told to scan. */
export function fillOwnDirectory(host: Host, prepared: Prepared, directory: string): void {
  host.makeDirectory(directory, 0o700)
  const { first, last } = addExtensions(prepared)
  for (const [place, extensions] of [
    [FIRST, first],
    [LAST, last],
  ] as const) {
    const path = `${directory}/${place}/${EXTENSIONS_NAME}`
    if (extensions.length === 0) {
      host.removeFile(path)
    } else {
      // The readers of the settings must be able to list these, whatever the umask is.
      if (!host.isDirectory(`${directory}/${place}`)) host.makeNewDirectory(`${directory}/${place}`, 0o755)
      host.writeFile(path, renderExtensions(extensions), 0o644)
    }
  }
  const { plan, group, readsIni } = prepared
  writeFiles(host, plan.files, group)
  const [mode, reader] = readsIni ? [0o640, group] : [0o600, undefined]
  host.writeFile(`${directory}/${INI_NAME}`, renderIniFile(plan), mode, reader)
}

/** The directories of php-sessions that PHP scans in addition to the one with the settings. */
export interface ScannedBeside {
  readonly first: boolean
  readonly last: boolean
}

/** The directories with extensions; with a watcher both, because it may write them while PHP runs. */
export function scannedBeside(completed: CompletePlan, isWatched: boolean): ScannedBeside {
  const { first, last } = addExtensions(completed)
  return { first: isWatched || first.length > 0, last: isWatched || last.length > 0 }
}

/**
 * PHP_INI_SCAN_DIR with one more directory in it: after those of the platform, before those of the app, which win. Those
 * with extensions are at its ends.
 *
 * The directories of the app come last even where the platform has put some of its own behind them. An empty element
 * stands for the directory that PHP was compiled to scan. Without the variable PHP scans that directory alone; with an
 * empty one it scans none.
 */
export function addToScanned(
  scanned: string | undefined,
  directory: string,
  isOfApp: (path: string) => boolean,
  beside: ScannedBeside,
): string {
  const others = scanned === '' ? [] : (scanned ?? '').split(':').filter((path) => path !== directory)
  const ofApp = others.filter((path) => path !== '' && isOfApp(path))
  return [
    ...(beside.first ? [`${directory}/${FIRST}`] : []),
    ...others.filter((path) => !ofApp.includes(path)),
    directory,
    ...ofApp,
    ...(beside.last ? [`${directory}/${LAST}`] : []),
  ].join(':')
}

/** Tells directories of the app from those of the platform. Below an app in / everything would be the app's. */
export function isBelow(host: Host, app: string): (path: string) => boolean {
  const root = host.realPath(app) ?? app
  return (path) => root !== '/' && `${host.realPath(path) ?? path}/`.startsWith(`${root}/`)
}

/**
 * The host without directories of php-sessions in PHP_INI_SCAN_DIR, for php-sessions and for the PHP that it asks: an
 * extension that only its own ini loads must not count as loaded. `empty` is a directory without ini files.
 */
export function withoutScanning(host: Host, isOurs: (path: string) => boolean, empty: string): Host {
  const scanned = (host.env.PHP_INI_SCAN_DIR ?? '').split(':')
  if (!scanned.some(isOurs)) return host
  const others = scanned.filter((path) => !isOurs(path))
  // An empty element alone would be an empty variable, with which PHP scans nothing.
  const env = { PHP_INI_SCAN_DIR: others.length === 1 && others[0] === '' ? `:${empty}` : others.join(':') }
  return {
    ...host,
    env: { ...host.env, ...env },
    run: (command) => host.run({ ...command, env: { ...env, ...command.env } }),
  }
}
