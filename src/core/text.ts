/**
 * Characters that would make one line of output look like another: line breaks, escape sequences of a terminal (C0 and
 * C1), and those that reverse the direction of what follows.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to show
const DECEPTIVE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/**
 * Turns text from outside into one printable line, in which deceptive characters are escaped.
 *
 * A line break in a service's name would add a directive to an ini comment, and an escape sequence would reach a
 * user's terminal.
 */
export function oneLine(text: string): string {
  return text.trim().replace(DECEPTIVE, (character) => SHORT[character] ?? asUnicode(character))
}

/** The same for text of several lines that are known to be separate. */
export function printableLines(text: string): string {
  return text.replace(DECEPTIVE, (character) => (character === '\n' ? character : asUnicode(character)))
}

/** Renders JSON for scripts: the same values, but nothing that deceives a human reader. */
export function renderJson(value: unknown): string {
  return `${printableLines(JSON.stringify(value, null, 2))}\n`
}

/** Quotes an argument for redis-cli, which reads bytes in hexadecimal. */
export function quoteForRedisCli(argument: string): string {
  if (/^[!-~]+$/.test(argument) && !/["'\\]/.test(argument)) return argument
  const escaped = argument.replace(/["\\]/g, '\\$&')
  return `"${escaped.replace(DECEPTIVE, (character) => encodeURIComponent(character).replaceAll('%', '\\x'))}"`
}

function asUnicode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** Splits text at blanks and line breaks: `words('a b c')` is a list that stays on one line. */
export function words(text: string): readonly string[] {
  // Hundreds of lists are made at every start: a regular expression would take a tenth of it.
  return text
    .replaceAll('\n', ' ')
    .split(' ')
    .filter((word) => word !== '')
}

/** Joins a list as a sentence does: `a`, `a or b`, `a, b or c`. */
export function joinWords(list: readonly string[], last: 'and' | 'or'): string {
  if (list.length < 2) return list.join('')
  return `${list.slice(0, -1).join(', ')} ${last} ${list.at(-1)}`
}

/** Joins the first of a list that may be long, and says how many more there are. */
export function joinFirst(list: readonly string[], separator: string): string {
  const more = list.length - FIRST
  const first = list.slice(0, FIRST).join(separator)
  return more > 0 ? `${first}${separator}and ${more} more` : first
}

const FIRST = 9

/** The candidate that is the fewest single-character edits away from a mistyped word. */
export function nearest(word: string, candidates: readonly string[]): string {
  const ranked = candidates.map((candidate) => ({ candidate, edits: editDistance(word, candidate) }))
  return ranked.reduce((best, next) => (next.edits < best.edits ? next : best)).candidate
}

/** How many single-character edits make one word of another. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
