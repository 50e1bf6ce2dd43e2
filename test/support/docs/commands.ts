import { commands } from '../../../src/cli/commands.ts'
import { type Block, blocksOf, GUIDES, kindOf } from './blocks.ts'
import { withoutBlocks } from './pages.ts'

/** A command on a page, as it is written there. */
export interface DocumentedCommand {
  readonly text: string
  readonly page: string
  /** What the page shows below the command. */
  readonly output?: string
  /** Whether it stands in a sentence, where it may be only named: `cf ssh`. */
  readonly isInline: boolean
}

/** The commands of a block. Where some lines begin with `$`, the others are what these print. */
export function commandsIn({ page, lines }: Block): readonly DocumentedCommand[] {
  if (!lines.some((line) => line.startsWith('$ ')))
    return lines
      .map(withoutComment)
      .filter((text) => text !== '')
      .map((text) => ({ text, page, isInline: false }))
  return lines
    .join('\n')
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [first = '', ...output] = part.split('\n')
      return { text: withoutComment(first), page, output: output.join('\n').trimEnd(), isInline: false }
    })
}

function withoutComment(line: string): string {
  return line.replace(/(^|\s+)#( .*)?$/, '').trim()
}

const INLINE =
  /`((?:[A-Z_]+=\S+\s)*(?:(?:launcher\s)?php-sessions|cf|docker|kubectl|npx|npm|scripts\/[a-z-]+)(?:\s[^`]+)?|(?:pack|sudo)\s[^`]+)`/g

/** Every command of every page, block by block, then those within sentences; then the examples of the help. */
export const COMMANDS: readonly DocumentedCommand[] = [
  ...GUIDES.flatMap((page) => [
    ...blocksOf(page)
      .filter((block) => kindOf(block) === 'commands')
      .flatMap(commandsIn),
    ...[...withoutBlocks(page.text).matchAll(INLINE)].map(([, text = '']) => ({
      text: text.replaceAll(/\s+/g, ' '),
      page: page.path,
      isInline: true,
    })),
  ]),
  ...commands.flatMap(({ name, examples }) =>
    examples.map((text) => ({ text, page: `php-sessions help ${name}`, isInline: false })),
  ),
]

/** The arguments that a command gives to php-sessions, itself or within a command of something else. */
export function argumentsIn(text: string): readonly string[] | undefined {
  const found = /(?:^|[\s"'])php-sessions(?:\s+([^"'>]*))?(?=$|["'>])/.exec(text)
  return found?.[1] === undefined ? undefined : found[1].trim().split(/\s+/)
}
