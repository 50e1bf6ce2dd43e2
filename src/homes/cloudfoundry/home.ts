import type { StoreName } from '../../core/endpoint.ts'
import type { Finding } from '../../core/finding.ts'
import type { Host } from '../../host/host.ts'
import { type TargetPhp, UNKNOWN_PHP } from '../../php/complete.ts'
import type { Plan } from '../../plan/plan.ts'
import { PUSH_IN_ORDER } from '../../platforms/cloudfoundry.ts'
import { redis } from '../../stores/redis/redis.ts'
import { MANAGED_FILES } from '../../stores/store.ts'
import { arrangeLines, type Libraries, renderExtensions } from '../extensions.ts'
import type { Advice, Home, Prepared } from '../home.ts'
import { INI_NAME, renderIniFile } from '../ini-file.ts'
import { writeFiles } from '../write-files.ts'
import { findPhpHome, type PhpHome } from './php-home.ts'

/** The app's container on Cloud Foundry. */
export interface CloudFoundryHome extends Home {
  /** The PHP that php_buildpack has laid out; undefined where there is none. */
  readonly phpHome: PhpHome | undefined
}

/** Finds the PHP of this container. `launch`, `watch`, `explain` and `doctor` share this view of it. */
export function findCloudFoundryHome(host: Host): CloudFoundryHome {
  const phpHome = findPhpHome(host)
  return {
    host,
    phpHome,
    appDirectory: host.env.HOME ?? '.',
    php: phpHome === undefined ? UNKNOWN_PHP : targetOf(phpHome),
    filesDirectory: phpHome?.filesDirectory ?? '.',
    setsVariables: true,
    advice: ADVICE,
    check: ({ plan }) => ({ findings: checkPhp(plan, phpHome), group: undefined }),
  }
}

/** Its ini files are read as texts, because starting PHP would take most of the start time. */
function targetOf({ root, startWith, php, lines, isReadLater, isRewritten }: PhpHome): TargetPhp {
  // PHP is asked only about TLS, Sentinels and the managed handler, which concern Redis.
  const start = startWith(redis.extensions)
  // Version 4 includes the app's files with a path below this prefix.
  const prefix = isRewritten ? ['-p', `${root}/etc`] : []
  const fpm = [`${root}/sbin/php-fpm`, ...prefix, '-y', `${root}/etc/php-fpm.conf`]
  return { start, known: php, isKnown: true, fpm, isReadLater, lines }
}

const ADVICE: Advice = {
  isManual: false,
  writeSettings: () =>
    'cf restart APP: the settings are written at every start, if php-sessions-buildpack is before php_buildpack',
  getExtension: (name) =>
    `choose a PHP version for which php_buildpack has ${name}, in .bp-config/options.json or composer.json`,
}

function checkPhp({ planned }: Plan, phpHome: PhpHome | undefined): readonly Finding[] {
  if (planned === undefined) return []
  if (phpHome === undefined)
    return [
      {
        id: 'php.missing',
        level: 'error',
        title: 'php_buildpack has installed no PHP here',
        from: 'nothing at $DEPS_DIR/*/php/etc or $HOME/php/etc',
        fix: PUSH_IN_ORDER,
      },
    ]
  const { name } = planned.store
  if (phpHome.extensions.includes(name)) return []
  return [
    {
      id: 'php.extension',
      level: 'error',
      title: `this PHP has no extension ${name}, which sessions in ${planned.store.title} need`,
      from: `${phpHome.extensionDirectory} has no ${name}.so`,
      fix: ADVICE.getExtension(name, ''),
    },
  ]
}

/** Where the ini file of php-sessions goes. */
export function iniDirectory(phpHome: PhpHome): string {
  return phpHome.scanDirectory ?? phpHome.ownDirectory
}

/** The ini file of php-sessions, and what it may contain later: php_buildpack 4 rewrites it at every start. */
export function renderLaunchIni(phpHome: PhpHome, plan: Plan) {
  const text = renderIniFile(plan)
  const isRewritten = phpHome.isRewritten && phpHome.scanDirectory !== undefined
  const written = isRewritten ? text.replaceAll('@', '@@') : text
  return { written, texts: [text, written] }
}

/** Writes the ini file of php-sessions and the files that it names. */
export function writeIni(host: Host, phpHome: PhpHome, { plan }: Pick<Prepared, 'plan'>): void {
  const directory = iniDirectory(phpHome)
  const { written } = renderLaunchIni(phpHome, plan)
  for (const own of [directory, phpHome.filesDirectory])
    if (own === phpHome.ownDirectory) host.makeDirectory(own, 0o700)
  writeFiles(host, plan.files)
  host.writeFile(`${directory}/${INI_NAME}`, written, 0o600)
  removeManaged(host, phpHome, plan)
  writeExtensions(host, phpHome, plan.planned?.store.name)
}

/** Removes the ini file of php-sessions and the files that it named. */
export function removeIni(host: Host, phpHome: PhpHome): void {
  for (const directory of [phpHome.scanDirectory, phpHome.ownDirectory])
    if (directory !== undefined) host.removeFile(`${directory}/${INI_NAME}`)
  removeManaged(host, phpHome, { files: [] })
  writeExtensions(host, phpHome, undefined)
}

/** Removes the managed handler's files, with credentials, that an earlier start wrote and this one does not need. */
function removeManaged(host: Host, { filesDirectory }: PhpHome, { files }: Pick<Plan, 'files'>): void {
  const needed = files.map(({ path }) => path)
  const managed = Object.values(MANAGED_FILES).map((name) => `${filesDirectory}/${name}`)
  for (const path of managed) if (!needed.includes(path)) host.removeFile(path)
}

/**
 * Makes PHP load the extension of the bound store, and those that the app loads, in an order that works. Ini files are
 * this container's own; they are written only where that changes them.
 */
function writeExtensions(host: Host, phpHome: PhpHome, bound: StoreName | undefined): void {
  const { inis, extensionsPath } = phpHome
  const { last, files } = arrangeLines(inis, bound, librariesOf(host, phpHome))
  // Before the others: after a crash in between, an extension is loaded twice, and PHP only warns about that.
  if (last.length > 0) {
    if (phpHome.scanDirectory === undefined) host.makeDirectory(phpHome.ownDirectory, 0o700)
    host.writeFile(extensionsPath, renderExtensions(last), 0o644)
  }
  for (const { path, bytes } of files)
    if (bytes !== inis.find((ini) => ini.path === path)?.bytes) rewrite(host, path, bytes)
  if (last.length === 0) host.removeFile(extensionsPath)
}

function librariesOf(host: Host, { extensionDirectory, extensions }: PhpHome): Libraries {
  return {
    has: (extension) => extensions.includes(extension),
    isLinked: (extension, to) =>
      host.findFiles([extensionDirectory], {
        names: [`${extension}.so`],
        without: [],
        deepest: 1,
        followsLinks: true,
        largest: LARGEST_LIBRARY,
        words: [`${to}_serialize`],
      }).length > 0,
  }
}

const LARGEST_LIBRARY = 64 << 20

/** Writes bytes in place of those of a file, which keeps its mode. */
export function rewrite(host: Host, path: string, bytes: string): void {
  host.writeBytes(path, bytes, host.statusOf(host.realPath(path) ?? path)?.mode ?? 0o644)
}
