/** The last value that an ini text gives to a setting, without quotes; undefined if it does not set it. */
export function readIniSetting(ini: string, name: string): string | undefined {
  const assignment = new RegExp(
    `^[ \\t]*${name.replaceAll('.', '\\.')}[ \\t]*=[ \\t]*(?:((?:"(?:[^"\\\\]|\\\\.)*")+)|"?([^";\\r]*?)"?)[ \\t]*(?:;.*)?\\r?$`,
  )
  return linesWith(ini, name)
    .map(({ text }) => assignment.exec(text))
    .map((match) => (match?.[1] === undefined ? match?.[2] : unquote(match[1])))
    .findLast((value) => value !== undefined)
}

/** PHP joins strings that stand side by side. */
function unquote(strings: string): string {
  return strings
    .slice(1, -1)
    .replaceAll('""', '')
    .replace(/\\(["\\$])/g, '$1')
}

/** Whether PHP reads a value, as written in an ini file, as on. */
export function readsAsOn(value: string): boolean {
  return !['', '0', 'off', 'no', 'false', 'none'].includes(value.toLowerCase())
}

const SET_ASIDE = '; set aside by php-sessions: '

/** An ini text as it was before php-sessions commented out lines. */
export function restoreLines(ini: string): string {
  return ini.replaceAll(SET_ASIDE, '')
}

/** Turns the lines that begin at these positions into comments. */
export function setLinesAside(ini: string, starts: readonly number[]): string {
  // From the last line to the first, so that the positions of the others do not change.
  return starts
    .toSorted((a, b) => b - a)
    .reduce((text, start) => text.slice(0, start) + SET_ASIDE + text.slice(start), ini)
}

/** A line that loads an extension, and the position in the text at which it begins. */
export interface LoadingLine {
  readonly extension: string
  readonly start: number
}

/** Finds the lines that load these extensions, written as `redis`, `redis.so` or with a path, in their order. */
export function findLoadingLines(ini: string, extensions: readonly string[]): readonly LoadingLine[] {
  return extensions
    .flatMap((extension) => linesThatLoad(ini, extension).map(({ start }) => ({ extension, start })))
    .toSorted((a, b) => a.start - b.start)
}

interface IniLine {
  readonly start: number
  readonly text: string
}

function linesThatLoad(ini: string, extension: string): readonly IniLine[] {
  const loading = new RegExp(
    `^[ \\t]*extension[ \\t]*=[ \\t]*(["']?)(?:[^"'\\r]*/)?${extension}(?:\\.so)?\\1[ \\t]*(?:;.*)?\\r?$`,
    'i',
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
