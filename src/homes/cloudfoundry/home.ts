import type { Finding } from '../../core/finding.ts'
import { loadsExtension, setAsideExtensions } from '../../core/php-ini.ts'
import type { Host } from '../../host/host.ts'
import { type TargetPhp, UNKNOWN_PHP } from '../../php/complete.ts'
import type { Plan } from '../../plan/plan.ts'
import { PUSH_IN_ORDER } from '../../platforms/cloudfoundry.ts'
import { redis } from '../../stores/redis/redis.ts'
import { MANAGED_FILES } from '../../stores/store.ts'
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

/** Its ini files are read as texts, since starting PHP would take most of the time of a start. */
function targetOf({ root, commandWith, php, lines, isReadLater }: PhpHome): TargetPhp {
  // PHP is asked about TLS, Sentinels and the managed handler only, and those are Redis'.
  const command = commandWith(redis.extensions)
  const fpm = [`${root}/sbin/php-fpm`, '-y', `${root}/etc/php-fpm.conf`]
  return { command, known: php, isKnown: true, fpm, isReadLater, lines }
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
      title: `this PHP has no extension ${name}, which keeps sessions in ${planned.store.title}`,
      from: `${phpHome.extensionDirectory} has no ${name}.so`,
      fix: ADVICE.getExtension(name, ''),
    },
  ]
}

/** Where the ini file of php-sessions goes. */
export function iniDirectory(phpHome: PhpHome): string {
  return phpHome.scanDirectory ?? phpHome.ownDirectory
}

/**
 * The ini file of php-sessions and the extensions that it loads. `texts` is what the file may contain later:
 * php_buildpack 4 rewrites it at every start.
 */
export function renderLaunchIni(phpHome: PhpHome, plan: Plan) {
  const extensions = extensionsToLoad(phpHome, plan)
  const text = renderIniFile(plan, extensions)
  const isRewritten = phpHome.isRewritten && phpHome.scanDirectory !== undefined
  const written = isRewritten ? text.replaceAll('@', '@@') : text
  return { extensions, written, texts: [text, written] }
}

function extensionsToLoad(phpHome: PhpHome, plan: Plan): readonly string[] {
  const isLoadedByApp = (extension: string) => phpHome.scanned.some((ini) => loadsExtension(ini, extension))
  return plan.extensions.filter(
    (extension) => phpHome.extensions.includes(extension) && !isLoadedByApp(extension),
  )
}

/** Writes the ini file of php-sessions and the files that it names. */
export function writeIni(host: Host, phpHome: PhpHome, { plan }: Pick<Prepared, 'plan'>): void {
  const directory = iniDirectory(phpHome)
  const { extensions, written } = renderLaunchIni(phpHome, plan)
  for (const own of [directory, phpHome.filesDirectory])
    if (own === phpHome.ownDirectory) host.makeDirectory(own, 0o700)
  // Before php.ini: after a crash in between, an extension is loaded twice, and PHP only warns about that.
  writeFiles(host, plan.files)
  host.writeFile(`${directory}/${INI_NAME}`, written, 0o600)
  removeManaged(host, phpHome, plan)
  editPhpIni(host, phpHome, extensions)
}

/** Removes the ini file of php-sessions and the files that it named; php.ini loads its extensions itself again. */
export function removeIni(host: Host, phpHome: PhpHome): void {
  for (const directory of [phpHome.scanDirectory, phpHome.ownDirectory])
    if (directory !== undefined) host.removeFile(`${directory}/${INI_NAME}`)
  removeManaged(host, phpHome, { files: [] })
  editPhpIni(host, phpHome, [])
}

/** Removes the files of the managed handler, with their credentials, that an earlier start wrote and this one does not need. */
function removeManaged(host: Host, { filesDirectory }: PhpHome, { files }: Pick<Plan, 'files'>): void {
  const needed = files.map(({ path }) => path)
  const managed = Object.values(MANAGED_FILES).map((name) => `${filesDirectory}/${name}`)
  for (const path of managed) if (!needed.includes(path)) host.removeFile(path)
}

/** Makes php.ini leave the loading of these extensions to php-sessions; writes it only where that changes it. */
function editPhpIni(host: Host, { phpIni }: PhpHome, extensions: readonly string[]): void {
  const edited = setAsideExtensions(phpIni.bytes, extensions)
  if (edited !== phpIni.bytes) rewrite(host, phpIni.path, edited)
}

/** Writes bytes in place of those of a file, which keeps its mode. */
export function rewrite(host: Host, path: string, bytes: string): void {
  host.writeBytes(path, bytes, host.statusOf(host.realPath(path) ?? path)?.mode ?? 0o644)
}
