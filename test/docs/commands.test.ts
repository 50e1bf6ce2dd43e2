import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { commands } from '../../src/cli/commands.ts'
import { main } from '../../src/cli/main.ts'
import { OPTIONS } from '../../src/core/options.ts'
import { blocksOf, GUIDES, kindOf } from '../support/docs/blocks.ts'
import { argumentsIn, COMMANDS } from '../support/docs/commands.ts'
import { ELSEWHERE, isNamed, whyNot } from '../support/docs/elsewhere.ts'
import { RUNS } from '../support/docs/runs.ts'
import { fakeHost } from '../support/host/fake-host.ts'

const BLOCKS = GUIDES.flatMap(blocksOf)

for (const command of commands) vi.spyOn(command, 'run').mockReturnValue(0)

/** What the real command line says of arguments, without running the command. */
function parse(args: readonly string[]): string {
  const host = fakeHost()
  return main(host, args) === 0 ? '' : host.output.err
}

test('each block of code is of a kind that is known', () => {
  const unknown = BLOCKS.filter((block) => kindOf(block) === undefined)
  expect(unknown, 'a new kind goes into test/support/docs/blocks.ts').toEqual([])
})

/** A sentence may name a command without what it needs, or one of its flags without the value. */
const NAMED_ONLY = /^expected .*, got (none|nothing)\n$/

test('every command is run as it is written, or it is said why not', () => {
  const neither = COMMANDS.filter(({ text, isInline }) => {
    if (RUNS[text] !== undefined || whyNot(text) !== undefined) return false
    const args = text.startsWith('php-sessions ') ? argumentsIn(text) : undefined
    return !isInline || !(args === undefined ? isNamed(text) : NAMED_ONLY.test(parse(args)))
  })
  expect(
    neither,
    'add it to test/support/docs/runs.ts, or with a reason to test/support/docs/elsewhere.ts',
  ).toEqual([])
})

test('each command that is run, or is not, is on a page', () => {
  const texts = COMMANDS.map(({ text }) => text)
  expect(Object.keys(RUNS).filter((text) => !texts.includes(text))).toEqual([])
  const forms = ELSEWHERE.flatMap(({ forms }) => forms)
  expect(forms.filter((form) => !texts.some((text) => form.test(text)))).toEqual([])
})

test('a reason names only tests that exist', () => {
  const named = ELSEWHERE.flatMap(({ why }) => why.match(/test\/[\w./-]*\w/g) ?? [])
  expect(named.filter((path) => !existsSync(path))).toEqual([])
})

describe('the command line accepts', () => {
  const inCommands = COMMANDS.map(({ text, isInline }) => ({ said: text, isInline, args: argumentsIn(text) }))
  const usages = BLOCKS.filter((block) => kindOf(block) === 'usage').map(({ lines: [said = ''] }) => ({
    said,
    isInline: false,
    args: argumentsIn(said.replaceAll(/[[\]]/g, '')),
  }))
  const lists = BLOCKS.flatMap(
    ({ lines }) => lines.join('\n').match(/\["?php-sessions"?,[^\]]*\]/g) ?? [],
  ).map((said) => ({
    said,
    isInline: false,
    args: said.slice(1, -1).replaceAll('"', '').split(/,\s*/).slice(1),
  }))
  const all = [...inCommands, ...usages, ...lists].filter(({ args }) => args !== undefined)

  test.each(all.map(({ said, ...rest }) => [said, rest] as const))('%s', (_, { args, isInline }) => {
    const answer = parse(args ?? [])
    expect(isInline && NAMED_ONLY.test(answer) ? '' : answer).toBe('')
  })

  test('one list at least of a Dockerfile and of a Kubernetes manifest', () => {
    expect(lists.length).toBeGreaterThanOrEqual(3)
    expect(usages.length).toBeGreaterThanOrEqual(1)
  })
})

test.each(
  commands.filter(({ isInternal }) => !isInternal).map((command) => [command.name, command] as const),
)('a page says what %s is, and each of its options', (name, { flags }) => {
  const text = GUIDES.filter(({ path }) => path !== 'CONTRIBUTING.md')
    .map((page) => page.text)
    .join('\n')
  expect(text).toContain(`php-sessions ${name}`)
  const unsaid = Object.entries(flags).filter(([flag, { letter }]) => {
    const forms = letter === undefined ? `--${flag}` : `--${flag}|-${letter}`
    return !new RegExp(`(?<![\\w-])(${forms})(?![\\w-])`).test(text)
  })
  expect(unsaid.map(([flag]) => flag)).toEqual([])
})

test('a command names only files of the checkout that exist, and scripts of package.json', () => {
  const words = COMMANDS.flatMap(({ text }) => text.split(' '))
  const files = words.filter((word) => /^(scripts|bench|test)\//.test(word))
  expect(files.filter((file) => !existsSync(file))).toEqual([])
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
  const run = COMMANDS.flatMap(({ text }) => /^npm run (\S+)/.exec(text)?.[1] ?? [])
  expect(run.filter((name) => scripts[name] === undefined)).toEqual([])
})

test('scripts/test runs what the pages say that it runs', () => {
  const text = ['scripts/test', 'scripts/setup', 'scripts/package']
    .map((path) => readFileSync(path, 'utf8'))
    .join('')
  const own = ELSEWHERE.find(({ why }) => why.startsWith('scripts/test'))?.forms ?? []
  const named = COMMANDS.filter(({ text: said }) => own.some((form) => form.test(said)))
    .flatMap(({ text: said }) => said.match(/scripts\/[a-z-]+/g) ?? [])
    .filter((script) => script !== 'scripts/test')
  expect(named.filter((script) => !text.includes(script))).toEqual([])
})

test('a setting in a command has a value that it accepts', () => {
  const said = COMMANDS.flatMap(({ text }) => [...text.matchAll(/\b(PHP_SESSIONS_[A-Z_]+)[ =]([^\s"]+)/g)])
  expect(said.length).toBeGreaterThan(2)
  for (const [, name = '', value = ''] of said) {
    const option = Object.entries(OPTIONS).find(([key]) => key === name)?.[1]
    expect(option?.parse(value), `${name} ${value}`).not.toBeUndefined()
  }
})
