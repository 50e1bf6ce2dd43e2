/** The last value that an ini text gives to a setting, without quotes; undefined if it does not set it. */
export function readIniSetting(ini: string, name: string): string | undefined {
  return readIniSettings(ini, [name])[0]?.value
}

/** A setting of an ini text. */
export interface IniSetting {
  readonly name: string
  /** Without quotes. */
  readonly value: string
  /** The number of the last line that assigns it. */
  readonly line: number
}

/** The last values that an ini text gives to these settings, in the order of the names. */
export function readIniSettings(ini: string, names: readonly string[]): readonly IniSetting[] {
  const lines = activeLines(ini)
  return names.flatMap((name): readonly IniSetting[] => {
    const naming = lines.filter(({ text }) => text.includes(name))
    if (naming.length === 0) return []
    const begin = `^[ \\t]*${name.replaceAll('.', '\\.')}[ \\t]*=`
    const assignment = new RegExp(
      `${begin}[ \\t]*(?:((?:"(?:[^"\\\\]|\\\\.)*")+)|"?([^";\\r]*?)"?)[ \\t]*(?:;.*)?\\r?$`,
    )
    const value = naming
      .map(({ text }) => assignment.exec(text))
      .map((match) => (match?.[1] === undefined ? match?.[2] : unquote(match[1])))
      .findLast((found) => found !== undefined)
    if (value === undefined) return []
    const last = naming.findLast(({ text }) => new RegExp(begin).test(text))
    return [{ name, value, line: ini.slice(0, last?.start).split('\n').length }]
  })
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
  const parts = ini.split(SET_ASIDE)
  return parts.length === 1 ? ini : parts.join('')
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
  const lines = activeLines(ini).filter(({ text }) => text.toLowerCase().includes('extension'))
  if (lines.length === 0) return []
  const loading = new RegExp(
    `^[ \\t]*extension[ \\t]*=[ \\t]*(["']?)(?:[^"'\\r]*/)?(${extensions.join('|')})(?:\\.so)?\\1[ \\t]*(?:;.*)?\\r?$`,
    'i',
  )
  return lines.flatMap(({ text, start }) => {
    const extension = loading.exec(text)?.[2]?.toLowerCase()
    return extension === undefined || extension === '' ? [] : [{ extension, start }]
  })
}

interface IniLine {
  readonly start: number
  readonly text: string
}

/**
 * The lines that are neither empty nor comments. php.ini has two thousand that are: looking at each of them in turn would take most of the
 * startup time.
 */
function activeLines(ini: string): readonly IniLine[] {
  const lines: IniLine[] = []
  let start = 0
  // QuickJS splits faster than it searches with indexOf.
  for (const text of ini.split('\n')) {
    if (text !== '' && text[0] !== ';') lines.push({ start, text })
    start += text.length + 1
  }
  return lines
}
