import { readIniSetting } from '../core/formats/php-ini.ts'
import type { SettingLine } from './answers.ts'
import { KEEPING_SETTINGS } from './look-around.ts'

/** An ini file whose bytes have been read. */
export interface IniFile {
  readonly path: string
  readonly bytes: string
}

/** The values of these settings in ini files, in order; for a PHP that need not be asked. */
export function linesOf(
  files: readonly IniFile[],
  names: readonly string[] = KEEPING_SETTINGS,
): readonly SettingLine[] {
  return files.flatMap(({ path, bytes }) =>
    names.flatMap((name) => {
      const value = readIniSetting(bytes, name)
      return value === undefined ? [] : [{ name, value, from: `${path}:${lineOf(bytes, name)}` }]
    }),
  )
}

/** The number of the last line that sets it. */
export function lineOf(bytes: string, name: string): number {
  const assigned = [...bytes.matchAll(new RegExp(`^[ \\t]*${name.replaceAll('.', '\\.')}[ \\t]*=`, 'gm'))]
  return bytes.slice(0, assigned.at(-1)?.index ?? 0).split('\n').length
}
