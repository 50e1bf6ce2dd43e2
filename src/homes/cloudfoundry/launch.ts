import { type Finding, hasError } from '../../core/finding.ts'
import type { Options } from '../../core/options.ts'
import { loadsExtension, setAsideExtensions } from '../../core/php-ini.ts'
import { revealIfSecret } from '../../core/secret.ts'
import type { Variable } from '../../frameworks/framework.ts'
import type { Host } from '../../host/host.ts'
import { lookAround, type Patience } from '../../php/look-around.ts'
import { readPlan } from '../../php/read-plan.ts'
import type { Plan } from '../../plan/plan.ts'
import { renderFindings, summarise } from '../../plan/report.ts'
import { PUSH_IN_ORDER } from '../../platforms/cloudfoundry.ts'
import { MANAGED_FILES } from '../../stores/store.ts'
import { findBypass } from '../bypass.ts'
import { describeVariables, type FrameworkPlan, planFramework } from '../framework.ts'
import { renderIniFile } from '../ini-file.ts'
import { markReload } from '../reload-mark.ts'
import { writeFiles } from '../write-files.ts'
import { findPhpHome, INI_NAME, type PhpHome } from './php.ts'

/** Set once a start has said where its sessions are: the start script of php_buildpack 5 runs us again. */
const SAID = '__PHP_SESSIONS_SAID'

/**
 * Writes the ini for the PHP in this container from the credentials bound now; runs once or twice a start.
 *
 * stdout is shell code for the profile script to evaluate. With status 1 nothing was changed, and the script
 * ends the start; PHP_SESSIONS_ON_ERROR=files goes on with local files instead.
 */
export function launch(host: Host): number {
  const home = findPhpHome(host)
  const { plan, options, framework, findings } = planLaunch(host, home, home?.filesDirectory)
  const failed = hasError(findings)
  const takesFiles = failed && options.PHP_SESSIONS_ON_ERROR === 'files'

  if (host.env[SAID] === undefined) {
    host.err(renderFindings(findings))
    if (takesFiles) host.err('php-sessions: PHP_SESSIONS_ON_ERROR=files: sessions are kept in local files\n')
    else if (!failed) host.err(`php-sessions: ${summarise(plan)}\n`)
    if (!failed && framework.variables.length > 0) host.err(`php-sessions: ${describeVariables(framework)}\n`)
  }
  if (failed && !takesFiles) return 1

  host.out(
    `export ${SAID}=1\n${home === undefined ? '' : applyPlan(host, home, failed ? undefined : plan, options)}`,
  )
  if (!failed) host.out(framework.variables.map(renderExport).join(''))
  return 0
}

/** What a start is going to do, and what is wrong with it. */
export interface LaunchPlan {
  readonly plan: Plan
  readonly options: Options
  readonly framework: FrameworkPlan
  readonly findings: readonly Finding[]
}

/** Plans for the PHP of php_buildpack, with the plan's files in this directory. */
export function planLaunch(
  host: Host,
  home: PhpHome | undefined,
  directory: string | undefined,
  patience?: Patience,
): LaunchPlan {
  const app = host.env.HOME ?? '.'
  const read = readPlan(host, app, { php: home?.php, directory })
  const plan = home === undefined ? read.plan : lookAround(host, read, home.command, patience)
  const { options } = read.input
  const framework = planFramework(host, app, plan, options, true)
  const bypass = findBypass(host, app, plan, home?.laterPrepend)
  const findings = [...plan.findings, ...checkPhp(plan, home), ...bypass, ...framework.findings]
  return { plan, options, framework, findings }
}

/** Where our ini file goes. */
export function iniDirectory(home: PhpHome): string {
  return home.scanDirectory ?? home.ownDirectory
}

function renderExport({ name, value }: Variable): string {
  return `export ${name}=${quoteShell(revealIfSecret(value))}\n`
}

function checkPhp({ planned }: Plan, home: PhpHome | undefined): readonly Finding[] {
  if (planned === undefined) return []
  if (home === undefined)
    return [
      {
        id: 'php.missing',
        level: 'error',
        title: 'there is no PHP here that php_buildpack has installed',
        from: 'nothing at $DEPS_DIR/*/php/etc or $HOME/php/etc',
        fix: PUSH_IN_ORDER,
      },
    ]
  const { name } = planned.store
  if (home.extensions.includes(name)) return []
  return [
    {
      id: 'php.extension',
      level: 'error',
      title: `this PHP has no extension ${name}, which keeps sessions in ${planned.store.title}`,
      from: `${home.extensionDirectory} has no ${name}.so`,
      fix: `choose a PHP version for which php_buildpack has ${name}, in .bp-config/options.json or composer.json`,
    },
  ]
}

/** Makes the container follow the plan, or keep files where there is none; gives the shell code for it. */
function applyPlan(host: Host, home: PhpHome, plan: Plan | undefined, options: Options): string {
  if (options.PHP_SESSIONS_WATCH) prepareReload(host, home, plan)
  if (plan?.planned === undefined) {
    removeIni(host, home)
    return ''
  }
  writeIni(host, home, plan)
  const directory = iniDirectory(home)
  const scanned = host.env.PHP_INI_SCAN_DIR ?? ''
  if (home.scanDirectory !== undefined || scanned.split(':').includes(directory)) return ''
  // An empty element stands for the directory that PHP was compiled to scan.
  return `export PHP_INI_SCAN_DIR=${quoteShell(`${scanned}:${directory}`)}\n`
}

/** Our ini file with what it loads: as it is written, and all that it may be, once php_buildpack 4 has rewritten it. */
export function renderLaunchIni(home: PhpHome, plan: Plan) {
  const extensions = extensionsToLoad(home, plan)
  const text = renderIniFile(plan, extensions)
  const isRewritten = home.isRewritten && home.scanDirectory !== undefined
  const written = isRewritten ? text.replaceAll('@', '@@') : text
  return { extensions, written, texts: [text, written] }
}

function extensionsToLoad(home: PhpHome, plan: Plan): readonly string[] {
  const isLoadedByApp = (extension: string) => home.scanned.some((ini) => loadsExtension(ini, extension))
  return plan.extensions.filter(
    (extension) => home.extensions.includes(extension) && !isLoadedByApp(extension),
  )
}

/** Writes our ini file and what it names. */
export function writeIni(host: Host, home: PhpHome, plan: Plan): void {
  const directory = iniDirectory(home)
  const { extensions, written } = renderLaunchIni(home, plan)
  for (const own of [directory, home.filesDirectory])
    if (own === home.ownDirectory) host.makeDirectory(own, 0o700)
  // Before php.ini: a crash in between leaves an extension loaded twice, which PHP only warns of.
  writeFiles(host, plan.files)
  host.writeFile(`${directory}/${INI_NAME}`, written, 0o600)
  removeManaged(host, home, plan)
  editPhpIni(host, home, extensions)
}

function removeIni(host: Host, home: PhpHome): void {
  for (const directory of [home.scanDirectory, home.ownDirectory])
    if (directory !== undefined) host.removeFile(`${directory}/${INI_NAME}`)
  removeManaged(host, home, { files: [] })
  editPhpIni(host, home, [])
}

/** The sidecar's own start may write what the app's php-fpm has not read. */
function prepareReload(host: Host, home: PhpHome, plan: Plan | undefined): void {
  const directory = iniDirectory(home)
  const before = host.readFile(`${directory}/${INI_NAME}`)
  if (
    before !== undefined &&
    plan?.planned !== undefined &&
    !renderLaunchIni(home, plan).texts.includes(before)
  )
    markReload(host, directory)
  letReloadFinishRequests(host, home)
}

/** php-fpm's own default ends running requests at once; a platform gives ten seconds to stop. */
function letReloadFinishRequests(host: Host, { phpIni }: PhpHome): void {
  const path = phpIni.path.replace(/php\.ini$/, 'php-fpm.conf')
  const before = host.readBytes(path)
  if (before === undefined || /^\s*process_control_timeout\s*=/m.test(before)) return
  const after = before.replace(/^\s*\[global\].*$/m, '$&\nprocess_control_timeout = 8s')
  if (after !== before) host.writeBytes(path, after, 0o644)
}

/** Removes what an earlier start has written for the managed handler, credentials among it, and this one does not need. */
function removeManaged(host: Host, { filesDirectory }: PhpHome, { files }: Pick<Plan, 'files'>): void {
  const needed = files.map(({ path }) => path)
  const managed = Object.values(MANAGED_FILES).map((name) => `${filesDirectory}/${name}`)
  for (const path of managed) if (!needed.includes(path)) host.removeFile(path)
}

/** Leaves the loading of these extensions to our file; php.ini is written only when that changes it. */
function editPhpIni(host: Host, { phpIni }: PhpHome, extensions: readonly string[]): void {
  const edited = setAsideExtensions(phpIni.bytes, extensions)
  if (edited !== phpIni.bytes) host.writeBytes(phpIni.path, edited, 0o644)
}

function quoteShell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
