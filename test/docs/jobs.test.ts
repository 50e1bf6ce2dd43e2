import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { main } from '../../src/cli/main.ts'
import { WRONG_USAGE } from '../../src/core/exit-status.ts'
import { fakeHost } from '../support/host/fake-host.ts'

const PAGES = ['docs/moving.md', 'docs/operations.md']

/** The blocks of a page that are indented by four spaces. */
function blocksOf(path: string): readonly string[] {
  const blocks = readFileSync(path, 'utf8').matchAll(/(?:^|\n)\n((?: {4}.*\n|\n(?= {4}))+)/g)
  return [...blocks].map(([, block = '']) => block.replace(/^ {4}/gm, ''))
}

/** Whether the command line is understood: nothing is bound here, so nothing is done. */
function isUnderstood(args: readonly string[]): boolean {
  const host = fakeHost({})
  return main(host, [...args, '--help']) === 0 && main(host, args) !== WRONG_USAGE
}

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
    const job = parse(block) as Job
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
