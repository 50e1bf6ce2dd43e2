import type { Sourced } from '../../core/binding.ts'
import { readIniSetting } from '../../core/formats/php-ini.ts'
import { words } from '../../core/text.ts'
import { webRootsOf } from '../../frameworks/app.ts'
import { type Host, readIfAllowed } from '../../host/host.ts'
import { MANAGED_FILES } from '../../stores/store.ts'
import type { SettingLine } from '../answers.ts'
import { lineOf } from '../ini-lines.ts'
import { findApacheSettings } from './apache.ts'
import type { Served } from './web-server.ts'

const LIMIT_SECONDS = 5

/**
 * Finds settings in the `.user.ini` and `.htaccess` files of an app, in any of its directories: for the pages there
 * these win over every ini file. php-fpm reads the former, PHP as a module of Apache the latter.
 */
export function findPageSettings(
  host: Host,
  appDirectory: string,
  names: readonly string[],
  served: Served = 'unknown',
): readonly SettingLine[] {
  return findFiles(host, appDirectory).flatMap((path): readonly SettingLine[] => {
    const isHtaccess = path.endsWith('.htaccess')
    if (served === (isHtaccess ? 'fpm' : 'other')) return []
    const text = readIfAllowed(host, path)
    if (text === undefined) return []
    if (isHtaccess) return findApacheSettings([{ path, text }], names, ['php_module'])
    return names.flatMap((name) => {
      const value = readIniSetting(text, name)
      return value === undefined ? [] : [{ name, value, from: `${path}:${lineOf(text, name)}` }]
    })
  })
}

/** The first of these settings, for pages of the web root before others. */
export function findInPages(host: Host, appDirectory: string, name: string): Sourced<string> | undefined {
  return findPageSettings(host, appDirectory, [name])[0]
}

/** The files that may have such settings, those of the web roots first. `find` is quick in an app of many directories. */
function findFiles(host: Host, appDirectory: string): readonly string[] {
  const inRoots = webRootsOf(appDirectory).flatMap((root) => [`${root}/.user.ini`, `${root}/.htaccess`])
  const { status, stdout } = host.run({
    file: 'find',
    args: [
      appDirectory,
      ...words('( -name .git -o -name node_modules ) -prune -o'),
      ...words('( -name .user.ini -o -name .htaccess ) -type f -size -64k'),
      ...words('-exec grep -lE php_|prepend|session|basedir|disable|compression {} +'),
    ],
    stdin: '',
    limitSeconds: LIMIT_SECONDS,
  })
  // grep in find returns 1 if a file has no such line.
  const others = status <= 1 ? stdout.split('\n').filter((path) => path.startsWith(appDirectory)) : []
  return [...inRoots, ...others.filter((path) => !inRoots.includes(path)).toSorted()]
}

/**
 * Finds a file of the app's own that extends PHP's `SessionHandler`, or makes one to wrap it: PHP puts the handler of
 * an extension behind it, below every handler that is written in PHP. Packages have such classes that hardly any app
 * uses, so they are skipped.
 */
export function findHandlerClass(host: Host, appDirectory: string): string | undefined {
  const { stdout } = host.run({
    file: 'grep',
    args: [
      ...['-rlsE', '--include=*.php'],
      ...['vendor', 'node_modules', 'tests', '.git'].map((name) => `--exclude-dir=${name}`),
      ...['^[^/*]*(class .*extends +\\\\?|new +\\\\)SessionHandler\\b', appDirectory],
    ],
    stdin: '',
    limitSeconds: LIMIT_SECONDS,
  })
  return stdout.split('\n').find((path) => path.startsWith(appDirectory) && path.endsWith('.php'))
}

/** Whether a prepended file is the managed handler, or includes it. */
export function runsManaged(host: Host, prependFile: string): boolean {
  const { handler } = MANAGED_FILES
  return (
    prependFile.endsWith(`/${handler}`) ||
    (prependFile.startsWith('/') && readIfAllowed(host, prependFile)?.includes(handler) === true)
  )
}
