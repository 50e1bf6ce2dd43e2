/** A table of Markdown. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/**
 * Fills the blocks of a page that stand between `<!-- MARK: WORDS -->` and `<!-- end -->`. The text around them is written by
 * hand.
 */
export function fillBlocks(page: string, mark: string, write: (words: string) => string): string {
  const block = new RegExp(`<!-- ${mark}: (.*?) -->\\n[\\s\\S]*?<!-- end -->`, 'g')
  return page.replace(
    block,
    (_, words: string) => `<!-- ${mark}: ${words} -->\n\n${write(words)}\n\n<!-- end -->`,
  )
}
