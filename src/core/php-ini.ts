/** The last value that an ini text gives to a setting, without quotes; undefined if it does not set it. */
export function readIniSetting(ini: string, name: string): string | undefined {
  const assignment = new RegExp(
    `^[ \\t]*${name.replaceAll('.', '\\.')}[ \\t]*=[ \\t]*"?([^";\\r]*?)"?[ \\t]*(?:;.*)?\\r?$`,
  )
  return linesWith(ini, name)
    .map(({ text }) => assignment.exec(text)?.[1])
    .findLast((value) => value !== undefined)
}

/** Whether an ini text loads an extension, written as `redis`, `redis.so` or with a path. */
export function loadsExtension(ini: string, extension: string): boolean {
  return linesThatLoad(ini, extension).length > 0
}

const SET_ASIDE = '; loaded by 00-php-sessions.ini instead, in the right order: '

/**
 * Turns the lines that load these extensions into comments, after it has restored the lines of an earlier run.
 *
 * php.ini is read before the scanned directory, and PHP cannot load an extension before those that it requires.
 * Without extensions the result is the original text.
 */
export function setAsideExtensions(ini: string, extensions: readonly string[]): string {
  return extensions.reduce(
    (text, extension) =>
      // From the last line to the first, so that the positions of the others do not change.
      linesThatLoad(text, extension).reduceRight(
        (edited, { start }) => edited.slice(0, start) + SET_ASIDE + edited.slice(start),
        text,
      ),
    ini.replaceAll(SET_ASIDE, ''),
  )
}

interface IniLine {
  readonly start: number
  readonly text: string
}

function linesThatLoad(ini: string, extension: string): readonly IniLine[] {
  const loading = new RegExp(
    `^[ \\t]*extension[ \\t]*=[ \\t]*"?(?:[^"\\r]*/)?${extension}(?:\\.so)?"?[ \\t]*(?:;.*)?\\r?$`,
  )
  return linesWith(ini, extension).filter(({ text }) => loading.test(text))
}

/** php.ini has two thousand lines: matching each with a regular expression would take most of the startup time. */
function linesWith(ini: string, word: string): readonly IniLine[] {
  const lines: IniLine[] = []
  for (let at = ini.indexOf(word); at !== -1; ) {
    const start = ini.lastIndexOf('\n', at) + 1
    const lineBreak = ini.indexOf('\n', at)
    const end = lineBreak === -1 ? ini.length : lineBreak
    lines.push({ start, text: ini.slice(start, end) })
    at = ini.indexOf(word, end)
  }
  return lines
}
