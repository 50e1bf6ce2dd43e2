import { type Directive, renderValue } from '../core/formats/ini.ts'
import { readsAsOn } from '../core/formats/php-ini.ts'
import { Secret } from '../core/secret.ts'
import { type Host, listIfAllowed, readIfAllowed } from '../host/host.ts'
import type { SettingLine, SettingsAnswer } from '../php/answers.ts'
import type { Known, TargetPhp } from '../php/complete.ts'
import { linesOf } from '../php/ini-lines.ts'
import { type Layer, readLayers } from '../php/layers.ts'
import { describeSavePath } from '../php/save-path.ts'
import { webOf } from '../php/web/web.ts'

/** A setting of the app that overrides one of php-sessions. */
export interface Override {
  readonly name: string
  /** The value that the app sets; null for a secret setting. */
  readonly value: string | null
  /** FILE:LINE, or what a command line sets. */
  readonly from: string
  /** Which pages get it, e.g. `the pool www`; empty for all. */
  readonly pages: string
}

/** Directories of an app from which a buildpack copies ini files. */
const INI_DIRECTORIES = ['/.bp-config/php/php.ini.d', '/.php.ini.d']

/**
 * Finds the settings that override those of php-sessions, in everything that PHP reads later. Of the lines for the
 * same pages the last counts.
 */
export function findOverrides(
  host: Host,
  appDirectory: string,
  php: TargetPhp,
  known: Known,
  directives: readonly Directive[],
  settings: Partial<SettingsAnswer> | undefined,
): readonly Override[] {
  // `extension` is a list, to which every ini file adds.
  const names = directives.map(({ name }) => name).filter((name) => name !== 'extension')
  const told = settings?.cli === undefined ? [] : linesIn(settings, names)
  const layers = readLayers(host, appDirectory, { ...php, lines: [...told, ...php.lines] }, known, names)
  const isRead = ({ name }: SettingLine) => layers.after.some((line) => line.name === name)
  const toCopy = linesOf(filesToCopy(host, appDirectory), names).filter((line) => !isRead(line))
  const all: readonly Layer[] = [
    { pages: '', lines: [...toCopy, ...layers.after] },
    ...layers.pools,
    ...layers.pages,
  ]
  return all.flatMap(({ pages, lines }) =>
    directives.flatMap((directive) => {
      const line = lines.findLast(({ name }) => name === directive.name)
      return line === undefined || isSame(line.value, directive.value)
        ? []
        : [{ name: line.name, value: shownValue(line, directive), from: line.from, pages }]
    }),
  )
}

/** What PHP reports of its ini files; the value of a secret setting is empty. */
function linesIn(settings: Partial<SettingsAnswer>, names: readonly string[]): readonly SettingLine[] {
  const web = webOf(settings)
  return names.flatMap((name) => {
    const { isExpected = true, value = null, from = null } = web.settings[name] ?? {}
    const isOurs = from === null || from.startsWith(`${web.ours}:`)
    return isExpected || isOurs ? [] : [{ name, value: value ?? '', from }]
  })
}

function filesToCopy(host: Host, appDirectory: string) {
  return INI_DIRECTORIES.flatMap((directory) =>
    listIfAllowed(host, appDirectory + directory)
      .filter((name) => name.endsWith('.ini'))
      .map((name) => `${appDirectory}${directory}/${name}`)
      .map((path) => ({ path, bytes: readIfAllowed(host, path) ?? '' })),
  )
}

/** Whether PHP reads the same from what the app has written. */
function isSame(value: string, ours: Directive['value']): boolean {
  if (typeof ours === 'boolean') return readsAsOn(value) === ours
  return typeof ours === 'number' ? value === String(ours) : renderValue(value) === renderValue(ours)
}

function shownValue({ name, value }: SettingLine, { value: ours }: Directive): string | null {
  if (name === 'session.save_path') return describeSavePath(value)
  return ours instanceof Secret ? null : value
}
