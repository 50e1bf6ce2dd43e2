import type { Results } from '../benchmark.ts'
import { fillBlocks } from '../parts/page-blocks.ts'
import { BLOCKS } from './blocks.ts'

/** Fills the marked blocks of a page with what bench/results has. */
export function fillFigures(page: string, all: readonly Results[]): string {
  return fillBlocks(page, 'figures', (words) => {
    const [kind = '', ...rest] = words.split(' ')
    const block = BLOCKS[kind]
    if (block === undefined) throw new Error(`there is no block called ${kind}`)
    return block(all, ...rest)
  })
}
