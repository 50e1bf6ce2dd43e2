import type { Host } from '../../host/host.ts'
import type { Prepared } from '../home.ts'
import { markReload } from '../reload-mark.ts'
import { type Environment, start } from '../start.ts'
import { findCloudFoundryHome, iniDirectory, removeIni, renderLaunchIni, writeIni } from './home.ts'
import { INI_NAME, type PhpHome } from './php-home.ts'

/** Set once a start has said where its sessions are: the start script of php_buildpack 5 runs us again. */
const SAID = '__PHP_SESSIONS_SAID'

/**
 * Writes the ini for the PHP in this container from the credentials bound now; runs once or twice a start.
 *
 * stdout is shell code for the profile script to evaluate. With status 1 nothing was changed, and the script
 * ends the start; PHP_SESSIONS_ON_ERROR=files goes on with local files instead.
 */
export function launch(host: Host): number {
  const home = findCloudFoundryHome(host)
  const { phpHome } = home
  const apply = (prepared: Prepared, hasFailed: boolean): Environment =>
    phpHome === undefined ? {} : applyIn(host, phpHome, prepared, hasFailed)
  const started = start({ ...home, apply }, host.env[SAID] !== undefined)
  if (started === undefined) return 1
  const exported = Object.entries(started.environment)
  host.out(
    `export ${SAID}=1\n${exported.map(([name, value]) => `export ${name}=${quoteShell(value)}\n`).join('')}`,
  )
  return 0
}

function applyIn(host: Host, phpHome: PhpHome, prepared: Prepared, hasFailed: boolean): Environment {
  const isKept = !hasFailed && prepared.plan.planned !== undefined
  if (prepared.input.options.PHP_SESSIONS_WATCH) prepareReload(host, phpHome, isKept ? prepared : undefined)
  if (!isKept) {
    removeIni(host, phpHome)
    return {}
  }
  writeIni(host, phpHome, prepared)
  const directory = iniDirectory(phpHome)
  const scanned = host.env.PHP_INI_SCAN_DIR ?? ''
  if (phpHome.scanDirectory !== undefined || scanned.split(':').includes(directory)) return {}
  // An empty element stands for the directory that PHP was compiled to scan.
  return { PHP_INI_SCAN_DIR: `${scanned}:${directory}` }
}

/** The sidecar's own start may write what the app's php-fpm has not read. */
function prepareReload(host: Host, phpHome: PhpHome, prepared: Prepared | undefined): void {
  const directory = iniDirectory(phpHome)
  const before = host.readFile(`${directory}/${INI_NAME}`)
  if (
    before !== undefined &&
    prepared !== undefined &&
    !renderLaunchIni(phpHome, prepared.plan).texts.includes(before)
  )
    markReload(host, directory)
  letReloadFinishRequests(host, phpHome)
}

/** php-fpm's own default ends running requests at once; a platform gives ten seconds to stop. */
function letReloadFinishRequests(host: Host, { phpIni }: PhpHome): void {
  const path = phpIni.path.replace(/php\.ini$/, 'php-fpm.conf')
  const before = host.readBytes(path)
  if (before === undefined || /^\s*process_control_timeout\s*=/m.test(before)) return
  const after = before.replace(/^\s*\[global\].*$/m, '$&\nprocess_control_timeout = 8s')
  if (after !== before) host.writeBytes(path, after, 0o644)
}

function quoteShell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
