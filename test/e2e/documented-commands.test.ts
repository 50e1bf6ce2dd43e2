import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from '../../lab/processes/command.ts'
import { startContained } from '../../lab/processes/contained.ts'
import { quoteForShell } from '../../lab/processes/words.ts'
import { type Block, blocksOf, GUIDES, kindOf } from '../support/docs/blocks.ts'
import { COMMANDS } from '../support/docs/commands.ts'
import { type DocumentedWorld, makeDocumentedWorld } from '../support/docs/documented-world.ts'
import { RUNS, type Run } from '../support/docs/runs.ts'

// What the pages say to type is typed here, as it is written there, in a world that has what they name. What cannot be
// run here is listed with the reason in test/support/docs/elsewhere.ts; test/docs/commands.test.ts finds what is in neither.

let world: DocumentedWorld
beforeAll(async () => {
  world = await makeDocumentedWorld()
})
afterAll(() => world.stop())

const BLOCKS = GUIDES.flatMap(blocksOf)
const blocksOfKind = (kind: string) => BLOCKS.filter((block) => kindOf(block) === kind)
const rowOf = ({ page, at, lines }: Block) => [`${page}:${at}`, lines.join('\n')] as const

const texts = [...new Set(COMMANDS.map(({ text }) => text))]
const rows = texts.flatMap((text) => {
  const run = RUNS[text]
  const same = COMMANDS.filter((command) => command.text === text)
  const outputs = same.flatMap(({ page, output = '' }) => (output === '' ? [] : [{ page, output }]))
  return run === undefined ? [] : [[text, run, outputs] as const]
})

test.each(rows)('%s', async (text, run, outputs) => {
  world.fill()
  const stop = run.withRequests ? await world.startRequests() : undefined
  const { status, stdout, log } = await type(text, run)
  await stop?.()
  expect(log).toMatch(run.says)
  expect({ status, log }).toEqual({ status: run.status ?? 0, log })
  for (const { page, output } of outputs) expect(shapeOf(stdout), page).toMatch(asShown(output))
})

async function type(text: string, run: Run) {
  const filled = Object.entries(run.words ?? {}).reduce(
    (said, [word, value]) => said.replace(word, value),
    text,
  )
  const shell = { file: 'bash', args: ['--norc', '-c', filled], cwd: world.app, env: world.env(run) }
  if (run.types !== undefined) {
    const typing = `sleep 0.2; echo ${run.types}`
    const inTerminal = `(${typing}) | script -qec ${quoteForShell(filled)} /dev/null`
    return runCommand({ ...shell, args: ['--norc', '-c', `set -o pipefail; ${inTerminal}`] })
  }
  if (!run.isServer) return runCommand(shell)
  const server = startContained(shell)
  while (!run.says.test(server.log()) && !server.hasExited()) await sleep(50)
  process.kill(server.pid, 'SIGTERM')
  return { status: await server.exited, stdout: server.stdout(), log: server.log() }
}

/** A text with every number and duration, and all room between its words, made the same, and without bars. */
function shapeOf(text: string): string {
  return text
    .replaceAll(/ *#+$/gm, '')
    .replaceAll(/\d+(?:[.,]\d+)*/g, '0')
    .replaceAll(/0 min\b/g, '0 s')
    .replaceAll(/ +/g, ' ')
    .trim()
}

/** The form of what a page shows; a line of its own with … stands for any lines. */
function asShown(output: string): RegExp {
  const literal = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  return new RegExp(`^${shapeOf(output).split('…\n').map(literal).join('(?:.*\\n)*')}$`)
}

describe('what is not typed', () => {
  test.each(blocksOfKind('settings').map(rowOf))('%s is a setting that a start accepts', async (_, lines) => {
    const text = `export ${lines}; php-sessions explain`
    const { status, stdout } = await type(text, { says: /./ })
    expect(stdout).toMatch(/^Sessions are kept in Redis service app-redis-sessions/m)
    expect(status).toBe(0)
  })

  test.each(blocksOfKind('binding').map(rowOf))('%s is a binding', async (_, lines) => {
    const files = lines.split('\n').map((line) => line.split(/\s+/))
    const write = files
      .map(([path, value]) => `mkdir -p $(dirname ${path}); printf %s '${value}' > ${path}`)
      .join('; ')
    const text = `${write}; export SERVICE_BINDING_ROOT=$PWD/bindings; unset VCAP_SERVICES; php-sessions explain; rm -r bindings`
    const { stdout } = await type(text, { says: /./ })
    expect(stdout).toMatch(/^ {2}✓ sessions \(Redis\)/m)
  })

  test.each(blocksOfKind('php').map(rowOf))('%s is PHP', async (_, lines) => {
    const path = join(world.app, 'said.php')
    writeFileSync(path, `<?php\n${lines}\n`)
    const { status, log } = await type('php -l said.php', { says: /./ })
    expect(log).toContain('No syntax errors')
    expect(status).toBe(0)
  })

  test.each(blocksOfKind('ini').map(rowOf))('%s is an ini file', async (_, lines) => {
    writeFileSync(join(world.app, 'said.ini'), `${lines}\n`)
    const [, name, value] = /^([a-z_.]+) = (.*)$/m.exec(lines) ?? []
    const { log } = await type(`php -n -c said.ini -r 'echo ini_get("${name}");'`, { says: /./ })
    expect(log).toBe(value)
  })
})
