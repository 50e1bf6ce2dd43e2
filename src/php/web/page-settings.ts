import type { Sourced } from '../../core/binding.ts'
import { words } from '../../core/text.ts'
import { webRootsOf } from '../../frameworks/app.ts'
import { type Host, LIMIT_BYTES, readIfAllowed } from '../../host/host.ts'
import { MANAGED_FILES } from '../../stores/store.ts'
import type { SettingLine } from '../answers.ts'
import { linesOf } from '../ini-lines.ts'
import { findApacheSettings } from './apache.ts'
import type { Served } from './web-server.ts'

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
    return linesOf([{ path, bytes: text }], names)
  })
}

/** The first of these settings, for pages of the web root before others. */
export function findInPages(host: Host, appDirectory: string, name: string): Sourced<string> | undefined {
  return findPageSettings(host, appDirectory, [name])[0]
}

/** The files that may have such settings, those of the web roots first. */
function findFiles(host: Host, appDirectory: string): readonly string[] {
  const names = ['.user.ini', '.htaccess']
  const inRoots = webRootsOf(appDirectory.replace(/\/$/, '')).flatMap((root) =>
    names.map((name) => `${root}/${name}`),
  )
  const found = host.findFiles(placesOf(host, appDirectory), {
    names,
    without: ['.git', 'node_modules'],
    deepest: DEEPEST,
    followsLinks: false,
    largest: 64 << 10,
    words: words('php_ prepend session basedir disable compression'),
  })
  return [...inRoots, ...found.filter((path) => !inRoots.includes(path)).toSorted()]
}

/** Where an app in `/` may have its pages: the whole file system of a container would take seconds. */
const PLACES_IN_ROOT = words('/app /docroot /htdocs /public /srv /var/www /web')

function placesOf(host: Host, appDirectory: string): readonly string[] {
  return (host.realPath(appDirectory) ?? appDirectory) === '/' ? PLACES_IN_ROOT : [appDirectory]
}

/** How deep the directories of an app may be; none are as deep. */
const DEEPEST = 64

const CLASS = 'SessionHandler'
const MAKES_CLASS = /^[^/*]*(class .*extends +\\?|new +\\)SessionHandler\b/

/**
 * Finds a file of the app's own that extends PHP's `SessionHandler`, or makes one to wrap it: PHP puts the handler of
 * an extension behind it, below every handler that is written in PHP. Packages have such classes that hardly any app
 * uses, so they are skipped.
 */
export function findHandlerClass(host: Host, appDirectory: string): string | undefined {
  const found = host.findFiles(placesOf(host, appDirectory), {
    names: ['*.php'],
    without: words('vendor node_modules tests .git'),
    deepest: DEEPEST,
    followsLinks: false,
    largest: LIMIT_BYTES,
    words: [CLASS],
  })
  const makesClass = (line: string) => line.includes(CLASS) && MAKES_CLASS.test(line)
  return found.toSorted().find((path) => readIfAllowed(host, path)?.split('\n').some(makesClass))
}

/** Whether a prepended file is the managed handler, or includes it. */
export function runsManaged(host: Host, prependFile: string): boolean {
  const { handler } = MANAGED_FILES
  return (
    prependFile.endsWith(`/${handler}`) ||
    (prependFile.startsWith('/') && readIfAllowed(host, prependFile)?.includes(handler) === true)
  )
}
