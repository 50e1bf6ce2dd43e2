import { oneLine } from '../src/core/text.ts'
import type { Lane } from './engine/lane.ts'
import type { LaneResult } from './scenes/play.ts'
import type { Scene } from './scenes/scene.ts'
import { SCENES } from './scenes/scenes.ts'

/** The list of scenes; fits 80 columns. */
export function renderList(): string {
  const width = Math.max(...SCENES.map(({ id }) => id.length))
  return SCENES.map(({ id, title }) => `  ${id.padEnd(width)}  ${title}\n`).join('')
}

export function renderOpening(scene: Scene): string {
  return `${scene.title}  (${scene.id})\n${wrap(scene.about, '  ')}`
}

/** What staging has shown of php-sessions. */
export function renderStaging(lane: Lane): string {
  const lines = lane.stagingLog.split('\n')
  const start = lines.findIndex((line) => line.startsWith('-----> php-sessions'))
  if (start === -1) return ''
  const length = lines.slice(start + 1).findIndex((line) => !line.startsWith('       '))
  return `  ${lane.title}: staged\n${lines
    .slice(start, start + 1 + length)
    .map((line) => `    ${line}\n`)
    .join('')}`
}

/** What `explain` says of the app in a lane: its findings on frameworks, and its last line. */
export async function renderVerdict(lane: Lane): Promise<string> {
  const said = (await lane.ask('explain'))?.trimEnd()
  if (said === undefined) return ''
  const blocks = said.split(/\n\n|\n(?=[!✗])/)
  const chosen = blocks.filter(
    (block, at) => /^Framework|\(framework\./.test(block) || at === blocks.length - 1,
  )
  return `    php-sessions explain says of this app:\n${indent(chosen.join('\n'))}`
}

/** The table at the end of a scene: promised, seen. */
export function renderResult(results: readonly LaneResult[]): string {
  const rows = results.flatMap(({ lane, verdicts }) =>
    verdicts.map(({ promised, seen, isKept }, index) => [
      index === 0 ? lane.title : '',
      lane.isPromised ? promised : `(${promised})`,
      seen,
      isKept ? 'yes' : 'NO',
    ]),
  )
  const table = [['', 'promised (reported)', 'seen', 'as said'], ...rows]
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  return table
    .map(
      (row) =>
        `  ${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

export function indent(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `    ${oneLine(line)}\n`)
    .join('')
}

function wrap(text: string, before: string): string {
  return (text.match(/.{1,76}(?:\s|$)/g) ?? []).map((line) => `${before}${line.trim()}\n`).join('')
}
