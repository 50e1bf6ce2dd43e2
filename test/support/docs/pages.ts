import { readdirSync, readFileSync } from 'node:fs'

/** A page of the documentation, by its path in the checkout. */
export interface Page {
  readonly path: string
  readonly text: string
}

const DOCS = readdirSync('docs', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`)

/** Every page that people read. */
export const PAGES: readonly Page[] = [
  ...['README.md', 'CONTRIBUTING.md', 'CODE_OF_CONDUCT.md', 'SECURITY.md', 'CHANGELOG.md'],
  ...['lab/README.md', 'bench/results/README.md'],
  ...DOCS,
].map((path) => ({ path, text: readPage(path) }))

export function readPage(path: string): string {
  return readFileSync(path, 'utf8')
}

/** A page without its code blocks, fenced or indented. */
export function withoutBlocks(text: string): string {
  return text.replace(/^```[\s\S]*?^```$/gm, '').replace(/^ {4}.*$/gm, '')
}

/** The anchors that GitHub gives the headings of a page. */
export function anchorsOf(text: string): readonly string[] {
  const headings = [...withoutBlocks(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading)
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_\- ]/gu, '')
      .replaceAll(' ', '-'),
  )
}
