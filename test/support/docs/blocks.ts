import { PAGES, type Page } from './pages.ts'

/** A block of code on a page: fenced, or indented by four blanks after an empty line. */
export interface Block {
  readonly page: string
  /** Its first line in the page, from 1. */
  readonly at: number
  readonly lines: readonly string[]
}

/** What a block is, by its first line. A block of no kind fails a test: whoever adds it says here what it is. */
const KINDS = {
  commands: /^(\$ )?(php-sessions|cf|docker|kubectl|pack|npx|npm|sudo|export|scripts\/[a-z-]+)( |$)/,
  usage: /^php-sessions .*\[/,
  settings: /^PHP_SESSIONS_[A-Z_]+=/,
  binding: /^bindings\//,
  php: /^(if \(|require |session_\w+\(|\$_SESSION|const )/,
  ini: /^; |^[a-z_.]+ = /,
  dockerfile: /^(FROM|COPY|RUN|ENTRYPOINT) /,
  yaml: /^[A-Za-z]+:( [a-z/0-9]+)?$/,
  /** A line of PHP's log, a finding, its end, a header, a picture: what is shown, not typed. */
  shown: /^(php-sessions: |[✗!✓] |\d+ error|[A-Z][A-Za-z-]+: \w)| {2}src\//,
  layers: /^cli {3}/,
} as const

export type Kind = keyof typeof KINDS

const UNREAD = /^CHANGELOG\.md$|^bench\/results\/(?!README)/

/** The pages whose commands people run. What the changelog names may be gone. */
export const GUIDES: readonly Page[] = PAGES.filter(({ path }) => !UNREAD.test(path))

/** The kind of a block; undefined if it is of none. */
export function kindOf({ lines: [first = ''] }: Block): Kind | undefined {
  const kinds = Object.keys(KINDS) as Kind[]
  if (KINDS.usage.test(first)) return 'usage'
  return kinds.find((kind) => KINDS[kind].test(first))
}

/** The blocks of a page. A fence that names a language is code of that language, which its own tools check. */
export function blocksOf({ path, text }: Page): readonly Block[] {
  const blocks: Block[] = []
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const fence = /^ *```(.*)$/.exec(lines[at] ?? '')
    const isIndented = isCode(lines[at]) && (lines[at - 1] ?? '').trim() === ''
    if (fence === null && !isIndented) continue
    const end =
      fence === null
        ? lines.findIndex((line, i) => i > at && line.trim() !== '' && !isCode(line))
        : lines.findIndex((line, i) => i > at && /^ *```$/.test(line))
    const last = end === -1 ? lines.length : end
    const inside = unindented(lines.slice(fence === null ? at : at + 1, last))
    if (fence === null || fence[1] === '' || fence[1] === 'sh')
      blocks.push(...partsOf(inside).map((part) => ({ page: path, at: at + 1, lines: part })))
    at = last
  }
  return blocks
}

function isCode(line: string | undefined): boolean {
  return /^ {4,}\S/.test(line ?? '')
}

function unindented(lines: readonly string[]): readonly string[] {
  const depth = Math.min(...lines.filter((line) => line.trim() !== '').map((line) => line.search(/\S/)))
  return lines.map((line) => line.slice(depth))
}

/** What empty lines separate are blocks of their own, except in what a command prints. */
function partsOf(lines: readonly string[]): readonly (readonly string[])[] {
  const text = lines.join('\n').trim()
  return (text.startsWith('$ ') ? [text] : text.split(/\n{2,}/)).map((part) => part.split('\n'))
}
