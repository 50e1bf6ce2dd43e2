import { readIniSettings } from '../core/formats/php-ini.ts'
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
    readIniSettings(bytes, names).map(({ name, value, line }) => ({ name, value, from: `${path}:${line}` })),
  )
}
