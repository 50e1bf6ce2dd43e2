import type { Finding } from '../core/finding.ts'
import { DEFAULT_PHP } from '../core/php.ts'
import type { Host } from '../host/host.ts'
import type { CompletePlan, TargetPhp } from '../php/complete.ts'
import { INI_NAME } from './cloudfoundry/php-home.ts'
import type { Prepared } from './home.ts'
import { renderIniFile } from './ini-file.ts'
import { writeFiles } from './write-files.ts'

/** The PHP of a command, most often that in PATH, which is told to scan a directory of our own before the app's. */
export function phpToScan(host: Host, app: string, php = 'php'): TargetPhp {
  return {
    command: [php],
    known: DEFAULT_PHP,
    isKnown: false,
    isReadLater: isBelow(host, app),
    laterPrepend: undefined,
  }
}

/**
 * That the PHP found can load what its sessions need, where it has answered; `fix` is where the platform's user gets
 * the extension.
 */
export function checkExtension(
  { plan, facts }: CompletePlan,
  fix: (name: string) => string,
): readonly Finding[] {
  const store = plan.planned?.store
  if (store === undefined || facts === undefined) return []
  if ([...facts.loaded, ...facts.loadable].includes(store.name)) return []
  return [
    {
      id: 'php.extension',
      level: 'error',
      title: `this PHP has no extension ${store.name}, which keeps sessions in ${store.title}`,
      from: `the php in PATH, which has no ${store.name}.so in its extension_dir`,
      fix: fix(store.name),
    },
  ]
}

/** Writes our ini, and what it names, into a directory of our own that PHP will be told to scan. */
export function fillOwnDirectory(host: Host, prepared: Prepared, directory: string): void {
  host.makeDirectory(directory, 0o700)
  writeFiles(host, prepared.plan.files, prepared.owner)
  host.writeFile(`${directory}/${INI_NAME}`, renderOwnIni(prepared), 0o600)
}

/** Renders our ini for a directory of our own. */
export function renderOwnIni(completed: CompletePlan): string {
  return renderIniFile(completed.plan, extensionsToLoad(completed))
}

/** The extensions that no other ini file loads. Those that are loaded by ours alone count as loaded by nobody. */
export function extensionsToLoad({ plan, facts }: CompletePlan): readonly string[] {
  if (facts === undefined) return []
  const { loaded, loadable } = facts
  return plan.extensions.filter((name) => loadable.includes(name) && !loaded.includes(name))
}

/**
 * PHP_INI_SCAN_DIR with our directory in it: after those of the platform, before those of the app, which win.
 *
 * The app's come last even where the platform has put some of its own behind them. An empty element stands for the
 * directory that PHP was compiled to scan; absent, that one alone is scanned, and none when it is set and empty.
 */
export function addToScanned(
  scanned: string | undefined,
  directory: string,
  isOfApp: (path: string) => boolean,
): string {
  if (scanned === '') return directory
  const others = (scanned ?? '').split(':').filter((path) => path !== directory)
  const ofApp = others.filter((path) => path !== '' && isOfApp(path))
  return [...others.filter((path) => !ofApp.includes(path)), directory, ...ofApp].join(':')
}

/** Tells the directories in the app from the platform's; one in / would have them all. */
export function isBelow(host: Host, app: string): (path: string) => boolean {
  const root = host.realPath(app) ?? app
  return (path) => root !== '/' && `${host.realPath(path) ?? path}/`.startsWith(`${root}/`)
}

/**
 * The host without directories of ours in PHP_INI_SCAN_DIR, for us and for the PHP that we ask: PHP must not take the
 * extensions that our own ini has loaded for those of the image. `empty` is a directory without ini files.
 */
export function withoutScanning(host: Host, isOurs: (path: string) => boolean, empty: string): Host {
  const scanned = (host.env.PHP_INI_SCAN_DIR ?? '').split(':')
  if (!scanned.some(isOurs)) return host
  const others = scanned.filter((path) => !isOurs(path))
  // Alone, the empty element would no longer stand for PHP's own directory, but for none.
  const env = { PHP_INI_SCAN_DIR: others.length === 1 && others[0] === '' ? `:${empty}` : others.join(':') }
  return {
    ...host,
    env: { ...host.env, ...env },
    run: (command) => host.run({ ...command, env: { ...env, ...command.env } }),
  }
}
