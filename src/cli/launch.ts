import { type Finding, hasError } from '../core/finding.ts'
import { loadsExtension, setAsideExtensions } from '../core/php-ini.ts'
import { revealIfSecret } from '../core/secret.ts'
import type { Variable } from '../frameworks/framework.ts'
import type { Host } from '../host/host.ts'
import type { Plan } from '../plan/plan.ts'
import { PUSH_IN_ORDER } from '../platforms/cloudfoundry.ts'
import { findPhpHome, INI_NAME, type PhpHome } from '../platforms/cloudfoundry-php.ts'
import { MANAGED_FILES } from '../stores/store.ts'
import { findBypass } from './bypass.ts'
import { describeVariables, planFramework } from './framework.ts'
import { renderIniFile } from './ini-file.ts'
import { lookAround } from './look-around.ts'
import { readPlan } from './read-plan.ts'
import { renderFindings, summarise } from './report.ts'
import { writeFiles } from './write-files.ts'

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
  const app = host.env.HOME ?? '.'
  const read = readPlan(host, app, { php: home?.php, directory: home?.filesDirectory })
  const plan = home === undefined ? read.plan : lookAround(host, read, home.command)
  const { options } = read.input
  const framework = planFramework(host, app, plan, options, true)
  const bypass = findBypass(host, app, plan, home?.laterPrepend)
  const findings = [...plan.findings, ...checkPhp(plan, home), ...bypass, ...framework.findings]
  const failed = hasError(findings)
  const takesFiles = failed && options.PHP_SESSIONS_ON_ERROR === 'files'

  if (host.env[SAID] === undefined) {
    host.err(renderFindings(findings))
    if (takesFiles) host.err('php-sessions: PHP_SESSIONS_ON_ERROR=files: sessions are kept in local files\n')
    else if (!failed) host.err(`php-sessions: ${summarise(plan)}\n`)
    if (!failed && framework.variables.length > 0) host.err(`php-sessions: ${describeVariables(framework)}\n`)
  }
  if (failed && !takesFiles) return 1

  host.out(`export ${SAID}=1\n${home === undefined ? '' : applyPlan(host, home, failed ? undefined : plan)}`)
  if (!failed) host.out(framework.variables.map(renderExport).join(''))
  return 0
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
function applyPlan(host: Host, home: PhpHome, plan: Plan | undefined): string {
  if (plan?.planned !== undefined) return writeIni(host, home, plan)
  removeIni(host, home)
  return ''
}

/** Writes our ini file, and gives the shell code that makes PHP find it. */
function writeIni(host: Host, home: PhpHome, plan: Plan): string {
  const isLoadedByApp = (extension: string) => home.scanned.some((ini) => loadsExtension(ini, extension))
  const extensions = plan.extensions.filter(
    (extension) => home.extensions.includes(extension) && !isLoadedByApp(extension),
  )
  const text = renderIniFile(plan, extensions)
  const directory = home.scanDirectory ?? home.ownDirectory
  const isRewritten = home.isRewritten && home.scanDirectory !== undefined

  for (const own of [directory, home.filesDirectory])
    if (own === home.ownDirectory) host.makeDirectory(own, 0o700)
  // Before php.ini: a crash in between leaves an extension loaded twice, which PHP only warns of.
  writeFiles(host, plan.files)
  host.writeFile(`${directory}/${INI_NAME}`, isRewritten ? text.replaceAll('@', '@@') : text, 0o600)
  removeManaged(host, home, plan)
  editPhpIni(host, home, extensions)

  const scanned = host.env.PHP_INI_SCAN_DIR ?? ''
  if (home.scanDirectory !== undefined || scanned.split(':').includes(directory)) return ''
  // An empty element stands for the directory that PHP was compiled to scan.
  return `export PHP_INI_SCAN_DIR=${quoteShell(`${scanned}:${directory}`)}\n`
}

function removeIni(host: Host, home: PhpHome): void {
  for (const directory of [home.scanDirectory, home.ownDirectory])
    if (directory !== undefined) host.removeFile(`${directory}/${INI_NAME}`)
  removeManaged(host, home, { files: [] })
  editPhpIni(host, home, [])
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
