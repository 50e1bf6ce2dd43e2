import { type Directive, renderValue } from '../core/ini.ts'
import { readIniSetting } from '../core/php-ini.ts'
import { Secret } from '../core/secret.ts'
import { webRootsOf } from '../frameworks/app.ts'
import { type Host, listIfAllowed, readIfAllowed } from '../host/host.ts'
import type { SettingsAnswer } from '../php/answers.ts'
import { webOf } from '../php/web.ts'

/** A setting of the app that overrides one of php-sessions. */
export interface Override {
  readonly name: string
  /** The value that the app sets; null for a secret setting. */
  readonly value: string | null
  /** A file, with the line where PHP reported it. */
  readonly from: string
}

/** Directories of an app from which a buildpack copies ini files. */
const INI_DIRECTORIES = ['/.bp-config/php/php.ini.d', '/.php.ini.d']

/** Finds settings of the app that PHP reads after those of php-sessions: in ini files and in pools of php-fpm. */
export function findOverrides(
  host: Host,
  appDirectory: string,
  directives: readonly Directive[],
  settings: Partial<SettingsAnswer> | undefined,
): readonly Override[] {
  const effective = settings === undefined ? [] : overridesInPhp(directives, settings)
  const inApp = filesOf(host, appDirectory).flatMap((path) => overridesIn(host, path, directives))
  return [...effective, ...inApp.filter(({ name }) => !effective.some((other) => other.name === name))]
}

/** What PHP reports from files that come after that of php-sessions, or would if that were installed. */
function overridesInPhp(
  directives: readonly Directive[],
  settings: Partial<SettingsAnswer>,
): readonly Override[] {
  const web = webOf(settings)
  const start = web.files.indexOf(web.ours ?? web.loaded ?? '')
  const later = web.files.slice(start + 1)
  const isLater = (from: string) => later.some((file) => from.startsWith(`${file}:`))
  return directives.flatMap(({ name }) => {
    const pool = web.pools.findLast((setting) => setting.name === name)
    const setting = pool ?? web.settings[name]
    if (setting === undefined || setting.isExpected || setting.from === null) return []
    const { value, from } = setting
    return pool !== undefined || isLater(from) ? [{ name, value, from }] : []
  })
}

function filesOf(host: Host, appDirectory: string): readonly string[] {
  return [
    ...webRootsOf(appDirectory).map((root) => `${root}/.user.ini`),
    ...INI_DIRECTORIES.flatMap((directory) =>
      listIfAllowed(host, appDirectory + directory)
        .filter((name) => name.endsWith('.ini'))
        .map((name) => `${appDirectory}${directory}/${name}`),
    ),
  ]
}

function overridesIn(host: Host, path: string, directives: readonly Directive[]): readonly Override[] {
  const text = readIfAllowed(host, path)
  if (text === undefined) return []
  return directives.flatMap(({ name, value: ours }) => {
    const value = readIniSetting(text, name)
    if (value === undefined || value === String(ours) || value === renderValue(ours)) return []
    return [{ name, value: ours instanceof Secret ? null : value, from: path }]
  })
}
