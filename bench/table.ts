/** A line of a table: its first cell is wide; a line break before it is not counted. */
export function print(first: string, ...cells: readonly string[]): void {
  const width = first.startsWith('\n') ? 29 : 28
  process.stdout.write(`${first.padEnd(width)}${cells.map((cell) => cell.padStart(22)).join('')}\n`)
}
