import { FAILED } from '../../core/exit-status.ts'
import type { Host } from '../../host/host.ts'
import type { Prepared } from '../home.ts'
import {
  addToScanned,
  fillOwnDirectory,
  isBelow,
  makeOwnDirectory,
  nameOwnDirectory,
  scannedBeside,
  withoutScanning,
} from '../own-directory.ts'
import { type Environment, start } from '../start.ts'
import { claim, removeUnused, reuseEarlier } from './earlier.ts'
import { cnbHome } from './home.ts'

/**
 * The exec.d program: before every process, it writes the ini for the PHP of the image from what is bound now.
 *
 * stdout is TOML, the variables that the launcher sets. With status 1 nothing was written and the launcher ends the
 * start; with PHP_SESSIONS_ON_ERROR=files the app starts with local files instead.
 */
export function cnbLaunch(given: Host): number {
  given.holdSignals()
  const directory = nameOwnDirectory(given)
  const temporary = directory.slice(0, directory.lastIndexOf('/'))
  const prefix = `${temporary}/php-sessions-`
  const host = withoutScanning(given, (path) => path.startsWith(prefix), directory)
  const app = host.env.CNB_APP_DIR || '.'
  const apply = (prepared: Prepared, hasFailed: boolean): Environment => {
    const others = host.env.PHP_INI_SCAN_DIR
    if (hasFailed || prepared.plan.planned === undefined) return scanned(given, others)
    const earlier = removeUnused(host, temporary)
    makeOwnDirectory(host, directory, { mode: 0o700 }, () => {
      claim(host, directory)
      fillOwnDirectory(host, prepared, directory)
    })
    const used = reuseEarlier(host, earlier, directory)
    return scanned(given, addToScanned(others, used, isBelow(host, app), scannedBeside(prepared, false)))
  }
  const started = start({ ...cnbHome(host, app, directory), apply })
  if (started === undefined) return FAILED
  host.out(Object.entries(started.environment).map(renderVariable).join(''))
  return 0
}

/** PHP_INI_SCAN_DIR, if it has to change. */
function scanned({ env }: Host, directories: string | undefined): Environment {
  if (directories === undefined || directories === env.PHP_INI_SCAN_DIR) return {}
  return { PHP_INI_SCAN_DIR: directories }
}

/** A bare key and a basic string, https://toml.io/en/v1.0.0#string. */
function renderVariable([name, value]: readonly [name: string, value: string]): string {
  const escaped = value
    .replace(/["\\]/g, '\\$&')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: TOML wants exactly these escaped
    .replace(/[\0-\x1f\x7f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return `${name} = "${escaped}"\n`
}
