/** The last value that an ini text gives to a setting, without quotes; undefined where it gives none. */
export function readSetting(ini: string, name: string): string | undefined {
  const line = new RegExp(
    `^[ \\t]*${name.replaceAll('.', '\\.')}[ \\t]*=[ \\t]*"?([^";\\r\\n]*?)"?[ \\t]*(?:;.*)?$`,
    'gm',
  )
  return [...ini.matchAll(line)].at(-1)?.[1]
}

/** Whether an ini text loads an extension, written as `redis`, `redis.so` or with a path. */
export function loadsExtension(ini: string, extension: string): boolean {
  return extensionLine(extension).test(ini)
}

const SET_ASIDE = '; loaded by 00-php-sessions.ini instead, in the right order: '

/**
 * Turns the lines that load these extensions into comments, and lines that an earlier run turned back.
 *
 * php.ini is read before the scanned directory, and an extension that is loaded before those it requires
 * is not loaded at all. With no extensions named the text becomes what it was at first.
 */
export function setAsideExtensions(ini: string, extensions: readonly string[]): string {
  const restored = ini.replaceAll(SET_ASIDE, '')
  return extensions.reduce(
    (text, extension) => text.replace(extensionLine(extension), (line) => SET_ASIDE + line),
    restored,
  )
}

function extensionLine(extension: string): RegExp {
  return new RegExp(
    `^[ \\t]*extension[ \\t]*=[ \\t]*"?(?:[^"\\r\\n]*/)?${extension}(?:\\.so)?"?[ \\t]*(?:;.*)?\\r?$`,
    'gm',
  )
}
