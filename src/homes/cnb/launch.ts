import { type Finding, hasError } from '../../core/finding.ts'
import { revealIfSecret } from '../../core/secret.ts'
import type { Variable } from '../../frameworks/framework.ts'
import type { Host } from '../../host/host.ts'
import type { Inside } from '../../php/look-around.ts'
import { renderFindings, summarise } from '../../plan/report.ts'
import { describeVariables } from '../framework.ts'
import {
  addToScanned,
  checkExtension,
  fillOwnDirectory,
  isBelow,
  planOwnDirectory,
  withoutScanning,
} from '../own-directory.ts'

/**
 * The exec.d program: writes the ini for the PHP of the image from what is bound now, before every process.
 *
 * stdout is TOML, the variables that the launcher is to set. With status 1 the launcher ends the start and nothing
 * was written; PHP_SESSIONS_ON_ERROR=files goes on with local files instead.
 */
export function cnbLaunch(given: Host): number {
  const prefix = `${given.env.TMPDIR || '/tmp'}/php-sessions-`
  const directory = prefix + given.uniqueWord()
  const host = withoutScanning(given, (path) => path.startsWith(prefix), directory)
  const app = host.env.CNB_APP_DIR || '.'
  const { plan, options, inside, bypass, framework } = planOwnDirectory(host, app, directory, true)
  const findings = [
    ...plan.findings,
    ...(inside === undefined ? [] : checkPhp(inside)),
    ...bypass,
    ...framework.findings,
  ]
  const failed = hasError(findings)
  host.err(renderFindings(findings))
  if (failed && options.PHP_SESSIONS_ON_ERROR !== 'files') return 1
  const said = failed ? 'PHP_SESSIONS_ON_ERROR=files: sessions are kept in local files' : summarise(plan)
  host.err(`php-sessions: ${said}\n`)
  if (failed || inside === undefined) {
    host.out(renderScanned(given, host.env.PHP_INI_SCAN_DIR))
    return 0
  }
  if (framework.variables.length > 0) host.err(`php-sessions: ${describeVariables(framework)}\n`)

  host.makeNewDirectory(directory, 0o700)
  fillOwnDirectory(host, inside, directory)
  const scanned = addToScanned(host.env.PHP_INI_SCAN_DIR, directory, isBelow(host, app))
  host.out(renderScanned(given, scanned) + framework.variables.map(renderVariable).join(''))
  return 0
}

/** The variable, where it is not what it was already. */
function renderScanned({ env }: Host, scanned: string | undefined): string {
  if (scanned === undefined || scanned === env.PHP_INI_SCAN_DIR) return ''
  return renderVariable({ name: 'PHP_INI_SCAN_DIR', value: scanned })
}

/** A bare key and a basic string, https://toml.io/en/v1.0.0#string. */
function renderVariable({ name, value }: Pick<Variable, 'name' | 'value'>): string {
  const escaped = revealIfSecret(value)
    .replace(/["\\]/g, '\\$&')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: TOML wants exactly these escaped
    .replace(/[\0-\x1f\x7f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return `${name} = "${escaped}"\n`
}

function checkPhp(inside: Inside): readonly Finding[] {
  if (inside.plan.planned !== undefined && !inside.hasAnswered)
    return [
      {
        id: 'php.missing',
        level: 'error',
        title: 'there is no PHP in this image that answers',
        from: 'php in PATH',
        fix: 'build with a buildpack for PHP, too, such as paketo-buildpacks/php',
      },
    ]
  return checkExtension(
    inside,
    (name) => `choose a PHP version for which its buildpack has ${name}: BP_PHP_VERSION, or composer.json`,
  )
}
