import { type Directive, renderValue } from '../core/ini.ts'
import { readSetting } from '../core/php-ini.ts'
import { Secret } from '../core/secret.ts'
import type { Host } from '../host/host.ts'
import type { SettingsAnswer } from '../php/answers.ts'
import { WEB_ROOTS } from '../php/page-settings.ts'
import { webOf } from '../php/web.ts'

/** A setting of the app's that wins over ours. */
export interface Override {
  readonly name: string
  /** What it is instead; null for a setting that is secret. */
  readonly value: string | null
  /** A file, with its line where PHP told it. */
  readonly from: string
}

/** Directories of an app from which a buildpack copies ini files. */
const INI_DIRECTORIES = ['/.bp-config/php/php.ini.d', '/.php.ini.d']

/** Finds the app's own settings that are read after ours: its ini files, and what a pool of php-fpm puts over all. */
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

/** What PHP itself says it has from files that come after ours, or would, were ours there. */
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
    ...WEB_ROOTS.map((root) => `${appDirectory}${root}/.user.ini`),
    ...INI_DIRECTORIES.flatMap((directory) =>
      host
        .listDirectory(appDirectory + directory)
        .filter((name) => name.endsWith('.ini'))
        .map((name) => `${appDirectory}${directory}/${name}`),
    ),
  ]
}

function overridesIn(host: Host, path: string, directives: readonly Directive[]): readonly Override[] {
  const text = host.readBytes(path)
  if (text === undefined) return []
  return directives.flatMap(({ name, value: ours }) => {
    const value = readSetting(text, name)
    if (value === undefined || value === String(ours) || value === renderValue(ours)) return []
    return [{ name, value: ours instanceof Secret ? null : value, from: path }]
  })
}
