import { revealIfSecret, type Secret } from '../secret.ts'
import { oneLine } from '../text.ts'

/** One line of a php.ini file, with the reason for it. */
export interface Directive {
  readonly name: string
  readonly value: string | number | boolean | Secret
  /** Why, for the comment in the file and for `explain`. Starts in lower case, no full stop. */
  readonly because: string
}

/** Renders directives as ini text, with secrets in clear. */
export function renderIni(directives: readonly Directive[]): string {
  return directives.map((d) => `${renderComment(d.because)}${d.name} = ${renderValue(d.value)}\n`).join('')
}

/** Renders one comment line, even for text of several lines: no part of it can become a directive. */
export function renderComment(text: string): string {
  return `; ${oneLine(text)}\n`
}

/** The value as an ini file has it, a secret in clear. */
export function renderValue(value: Directive['value']): string {
  if (typeof value === 'number') return String(value)
  if (typeof value === 'boolean') return value ? 'On' : 'Off'
  return quoteIni(revealIfSecret(value))
}

/**
 * Quotes a string so that PHP reads back exactly the same bytes. An ini file cannot hold NUL; it is refused
 * earlier.
 *
 * Inside double quotes PHP replaces `${NAME}`, and `\"` before a line break ends the string. Neither can be
 * escaped, but both can be cut in two: PHP joins adjacent strings. Single quotes do not help, because the start script
 * of php_buildpack replaces the text `${TMPDIR}` in every ini file with sed.
 */
export function quoteIni(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replace(/\\"(?=[\r\n])/g, '\\"""')
    .replaceAll('${', '$""{')
  return `"${escaped}"`
}
