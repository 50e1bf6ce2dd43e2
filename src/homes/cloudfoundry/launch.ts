import { FAILED } from '../../core/exit-status.ts'
import type { Host } from '../../host/host.ts'
import type { Prepared } from '../home.ts'
import { INI_NAME } from '../ini-file.ts'
import { markReload } from '../reload-mark.ts'
import { type Environment, start } from '../start.ts'
import { findCloudFoundryHome, iniDirectory, removeIni, renderLaunchIni, rewrite, writeIni } from './home.ts'
import type { PhpHome } from './php-home.ts'

/** Set once a start has said where its sessions are, because php_buildpack 5's start script runs `launch` again. */
const SAID = '__PHP_SESSIONS_SAID'

/**
 * Writes the ini for the PHP in this container from the credentials bound now; runs once or twice per start.
 *
 * stdout is shell code for the profile script to evaluate. With status 1 nothing was changed and the script ends the
 * start; with PHP_SESSIONS_ON_ERROR=files the app starts with local files instead.
 */
export function launch(host: Host): number {
  const home = findCloudFoundryHome(host)
  const { phpHome } = home
  const apply = (prepared: Prepared, hasFailed: boolean): Environment =>
    phpHome === undefined ? {} : applyIn(host, phpHome, prepared, hasFailed)
  const started = start({ ...home, apply }, host.env[SAID] !== undefined)
  if (started === undefined) return FAILED
  const exported = Object.entries(started.environment)
  host.out(
    `export ${SAID}=1\n${exported.map(([name, value]) => `export ${name}=${quoteShell(value)}\n`).join('')}`,
  )
  return 0
}

function applyIn(host: Host, phpHome: PhpHome, prepared: Prepared, hasFailed: boolean): Environment {
  const isKept = !hasFailed && prepared.plan.planned !== undefined
  if (prepared.input.options.PHP_SESSIONS_WATCH) prepareReload(host, phpHome, isKept ? prepared : undefined)
  if (isKept) writeIni(host, phpHome, prepared)
  else removeIni(host, phpHome)
  const directory = iniDirectory(phpHome)
  const isWritten = isKept || host.statusOf(phpHome.extensionsPath) !== undefined
  const scanned = host.env.PHP_INI_SCAN_DIR ?? ''
  if (!isWritten || phpHome.scanDirectory !== undefined || scanned.split(':').includes(directory)) return {}
  // An empty element stands for the directory that PHP was compiled to scan.
  return { PHP_INI_SCAN_DIR: `${scanned}:${directory}` }
}

/** The start of the sidecar may write settings that the app's php-fpm has not read yet. */
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

/** By default php-fpm ends running requests at once when it reloads; the platform gives ten seconds to stop. */
function letReloadFinishRequests(host: Host, { phpIni }: PhpHome): void {
  const path = phpIni.path.replace(/php\.ini$/, 'php-fpm.conf')
  const before = host.readBytes(path)
  if (before === undefined || /^\s*process_control_timeout\s*=/m.test(before)) return
  const after = before.replace(/^\s*\[global\].*$/m, '$&\nprocess_control_timeout = 8s')
  if (after !== before) rewrite(host, path, after)
}

function quoteShell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
