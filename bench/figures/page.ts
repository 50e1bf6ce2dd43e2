import type { Results } from '../benchmark.ts'
import { BLOCKS } from './blocks.ts'

const BLOCK = /<!-- figures: (.*?) -->\n[\s\S]*?<!-- end of figures -->/g

/** Fills the marked blocks of a page with what bench/results has. The text around them is written by hand. */
export function fillFigures(page: string, all: readonly Results[]): string {
  return page.replace(BLOCK, (_, words: string) => {
    const [kind = '', ...rest] = words.split(' ')
    const block = BLOCKS[kind]
    if (block === undefined) throw new Error(`there is no block called ${kind}`)
    return `<!-- figures: ${words} -->\n\n${block(all, ...rest)}\n\n<!-- end of figures -->`
  })
}
