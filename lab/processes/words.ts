/** Splits a command line at its blanks; for words that have none themselves. */
export function words(line: string): readonly string[] {
  return line.split(' ')
}

/** Quotes a word of a command line for a shell. */
export function quoteForShell(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
