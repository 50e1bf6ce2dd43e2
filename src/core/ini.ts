import { revealIfSecret, type Secret } from './secret.ts'
import { oneLine } from './text.ts'

/** One line of a php.ini file, with the reason it is there. */
export interface Directive {
  readonly name: string
  readonly value: string | number | boolean | Secret
  /** Why, for the comment in the file and for people who ask. Starts in lower case, no full stop. */
  readonly because: string
}

/** Renders directives as ini text. The only place where secrets are written out. */
export function renderIni(directives: readonly Directive[]): string {
  return directives.map((d) => `${renderComment(d.because)}${d.name} = ${renderValue(d.value)}\n`).join('')
}

/** Renders one comment line; a text of several lines cannot become a directive. */
export function renderComment(text: string): string {
  return `; ${oneLine(text)}\n`
}

/** The value as an ini file has it. */
export function renderValue(value: Directive['value']): string {
  if (typeof value === 'number') return String(value)
  if (typeof value === 'boolean') return value ? 'On' : 'Off'
  return quoteIni(revealIfSecret(value))
}

/**
 * Quotes a string so that PHP reads back exactly the same bytes. NUL cannot be carried and is refused before.
 *
 * Inside double quotes PHP replaces `${NAME}`, and `\"` before a line break ends the string. Neither can be
 * escaped, but both can be cut in two: strings that touch are joined. Single quotes would do as well, were it
 * not for php_buildpack, whose start script replaces the text `${TMPDIR}` in every ini file with sed.
 */
export function quoteIni(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replace(/\\"(?=[\r\n])/g, '\\"""')
    .replaceAll('${', '$""{')
  return `"${escaped}"`
}
