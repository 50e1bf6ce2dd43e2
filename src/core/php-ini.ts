/** The last value that an ini text gives to a setting, without quotes; undefined where it gives none. */
export function readSetting(ini: string, name: string): string | undefined {
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
 * Turns the lines that load these extensions into comments, and lines that an earlier run turned back.
 *
 * php.ini is read before the scanned directory, and an extension that is loaded before those it requires
 * is not loaded at all. With no extensions named the text becomes what it was at first.
 */
export function setAsideExtensions(ini: string, extensions: readonly string[]): string {
  return extensions.reduce(
    (text, extension) =>
      // From the last line, so that the positions of the others stay.
      linesThatLoad(text, extension).reduceRight(
        (edited, { start }) => edited.slice(0, start) + SET_ASIDE + edited.slice(start),
        text,
      ),
    ini.replaceAll(SET_ASIDE, ''),
  )
}

interface Line {
  readonly start: number
  readonly text: string
}

function linesThatLoad(ini: string, extension: string): readonly Line[] {
  const loading = new RegExp(
    `^[ \\t]*extension[ \\t]*=[ \\t]*"?(?:[^"\\r]*/)?${extension}(?:\\.so)?"?[ \\t]*(?:;.*)?\\r?$`,
  )
  return linesWith(ini, extension).filter(({ text }) => loading.test(text))
}

/** php.ini has two thousand lines: a regular expression over all of them would be most of a start. */
function linesWith(ini: string, word: string): readonly Line[] {
  const lines: Line[] = []
  for (let at = ini.indexOf(word); at !== -1; ) {
    const start = ini.lastIndexOf('\n', at) + 1
    const lineBreak = ini.indexOf('\n', at)
    const end = lineBreak === -1 ? ini.length : lineBreak
    lines.push({ start, text: ini.slice(start, end) })
    at = ini.indexOf(word, end)
  }
  return lines
}
