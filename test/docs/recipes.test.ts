import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { main } from '../../src/cli/main.ts'
import { WRONG_USAGE } from '../../src/core/exit-status.ts'
import { fakeHost } from '../support/fake-host.ts'

/** The copy of the library `yaml` that playwright-core has. */
const { yaml }: { yaml: { parse(text: string): unknown } } = createRequire(import.meta.url)(
  'playwright-core/lib/utilsBundle',
)

const PAGES = ['docs/moving.md', 'docs/operations.md']

/** The blocks of a page that are indented by four spaces. */
function blocksOf(path: string): readonly string[] {
  const blocks = readFileSync(path, 'utf8').matchAll(/(?:^|\n)\n((?: {4}.*\n|\n(?= {4}))+)/g)
  return [...blocks].map(([, block = '']) => block.replace(/^ {4}/gm, ''))
}

/** The words of a command line as a shell has them; comments are none. */
function wordsOf(line: string): readonly string[] {
  const words = line.replace(/ # .*$/, '').matchAll(/"([^"]*)"|'([^']*)'|([^\s"']+)/g)
  return [...words].map(([, double, single, bare]) => double ?? single ?? bare ?? '')
}

/** The command lines of php-sessions in a text, alone or as an argument of another program. */
function commandsIn(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .map((line) => line.replace(/^\$ /, '').replace(/ [>|&] .*$/, ''))
    .flatMap((line) => {
      const words = wordsOf(line)
      const nested = words.filter((word) => /\bphp-sessions /.test(word)).flatMap(commandsIn)
      const at = words.findIndex((word) => /(^|\/)php-sessions$/.test(word))
      return at === -1 ? nested : [words.slice(at + 1)]
    })
}

/** Whether the command line is understood: nothing is bound here, so nothing is done. */
function isUnderstood(args: readonly string[]): boolean {
  const host = fakeHost({})
  return main(host, [...args, '--help']) === 0 && main(host, args) !== WRONG_USAGE
}

const COMMANDS = PAGES.flatMap((page) =>
  [...blocksOf(page).flatMap(commandsIn), ...inlineOf(page)].map(
    (args) => [page, args.join(' '), args] as const,
  ),
)

/** Commands within sentences. */
function inlineOf(page: string): readonly (readonly string[])[] {
  const spans = readFileSync(page, 'utf8').matchAll(/`([^`\n]*php-sessions [^`\n]*)`/g)
  return [...spans].flatMap(([, span = '']) => commandsIn(span))
}

describe('the recipes', () => {
  test('are found, in each form', () => {
    const lines = COMMANDS.map(([, line]) => line)
    expect(lines).toContain('copy --from old-redis-sessions')
    expect(lines).toContain('sessions end --where user_id=42')
    expect(lines).toContain('copy --from /var/lib/php/sessions --app /var/www/app')
    expect(lines.length).toBeGreaterThan(20)
  })

  test.each(COMMANDS)('%s: php-sessions %s', (_page, _line, args) => {
    expect(isUnderstood(args)).toBe(true)
  })
})

interface Job {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly schedule?: string
    readonly template?: PodTemplate
    readonly jobTemplate?: { readonly spec: { readonly template: PodTemplate } }
  }
}

interface PodTemplate {
  readonly spec: {
    readonly restartPolicy: string
    readonly containers: readonly {
      readonly name: string
      readonly image: string
      readonly command: readonly string[]
    }[]
  }
}

const JOBS = PAGES.flatMap((page) =>
  blocksOf(page)
    .filter((block) => block.includes('apiVersion:'))
    .map((block) => [page, block] as const),
)

test('both pages have a job for Kubernetes', () => {
  expect(JOBS.map(([page]) => page)).toEqual(PAGES)
})

test.each(JOBS)(
  'the job of %s is one of the batch API, and runs a command that is understood',
  (_page, block) => {
    const job = yaml.parse(block) as Job
    expect(job.apiVersion).toBe('batch/v1')
    expect(job.metadata.name).toMatch(/^[a-z0-9-]{1,52}$/)
    const isCron = job.kind === 'CronJob'
    const template = isCron ? job.spec.jobTemplate?.spec.template : job.spec.template
    expect(['Job', 'CronJob']).toContain(job.kind)
    if (isCron) expect(job.spec.schedule).toMatch(/^(\S+ ){4}\S+$/)
    expect(['Never', 'OnFailure']).toContain(template?.spec.restartPolicy)
    const containers = template?.spec.containers ?? []
    expect(containers).toHaveLength(1)
    for (const { image, command } of containers) {
      expect(image).toMatch(/\S/)
      expect(command[0]).toBe('php-sessions')
      expect(isUnderstood(command.slice(1))).toBe(true)
    }
  },
)
