import { spawnSync } from 'node:child_process'
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'

interface Step {
  readonly uses?: string
  readonly run?: string
  readonly with?: Readonly<Record<string, unknown>>
}

interface Workflow {
  readonly permissions: unknown
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly permissions?: Readonly<Record<string, string>>
        readonly 'timeout-minutes'?: number
        readonly container?: string | { readonly image: string; readonly options?: string }
        readonly strategy?: { readonly matrix: { readonly image: readonly string[] } }
        readonly steps: readonly Step[]
      }
    >
  >
}

const FOLDER = '.github/workflows'
const names = readdirSync(FOLDER)
const read = (name: string) => parse(readFileSync(join(FOLDER, name), 'utf8')) as Workflow
const jobsOf = (name: string) => Object.entries(read(name).jobs)
const stepsOf = (name: string) => jobsOf(name).flatMap(([, { steps }]) => steps)

/** Who may write, and what for. */
const WRITES: Readonly<Record<string, readonly string[]>> = {
  'release.yml publish': ['attestations', 'contents', 'id-token'],
}

describe.each(names)('%s', (name) => {
  test('pins every action by its commit, with the version in a comment', () => {
    const uses = readFileSync(join(FOLDER, name), 'utf8').match(/^.*\buses:.*$/gm) ?? []
    expect(uses).toHaveLength(stepsOf(name).filter((step) => step.uses !== undefined).length)
    for (const line of uses) expect(line).toMatch(/uses: [\w-]+\/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
  })

  test('gives no permission to all, and each job only what it needs', () => {
    expect(read(name).permissions).toEqual({})
    for (const [id, { permissions = {} }] of jobsOf(name)) {
      const writes = Object.keys(permissions).filter((each) => permissions[each] !== 'read')
      expect(writes.sort()).toEqual(WRITES[`${name} ${id}`] ?? [])
    }
  })

  test('ends, keeps no token in the checkout, and puts nothing from outside into a command', () => {
    for (const [, job] of jobsOf(name)) expect(job['timeout-minutes']).toBeGreaterThan(0)
    for (const { uses = '', run = '', with: inputs } of stepsOf(name)) {
      if (uses.startsWith('actions/checkout@')) expect(inputs?.['persist-credentials']).toBe(false)
      expect(run).not.toContain('${{')
    }
  })

  test('calls scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly scripts: object }
    for (const { run = '' } of stepsOf(name)) {
      for (const [script] of run.matchAll(/\bscripts\/[\w/-]+/g)) accessSync(script, constants.X_OK)
      for (const [, script = ''] of run.matchAll(/\bnpm run ([\w-]+)/g))
        expect(scripts).toHaveProperty(script)
    }
  })
})

test('the whole suite runs in the images of the distributions that are supported', () => {
  const [[, job] = []] = jobsOf('test.yml')
  expect(job?.strategy?.matrix.image).toEqual(['debian:12', 'debian:13', 'ubuntu:22.04', 'ubuntu:24.04'])
  expect(stepsOf('test.yml')).toContainEqual({ run: 'scripts/test' })
  // Without it nothing collects processes whose parents have ended.
  expect(job?.container).toMatchObject({ options: '--init' })
})

test('a release is checked against the changelog, built twice, and attested before it is published', () => {
  const steps = stepsOf('release.yml').map(({ uses, run }) => uses?.replace(/@.*/, '') ?? run ?? '')
  const order = [
    'scripts/release/notes',
    'scripts/release/reproduce',
    'sha256sum --check',
    'actions/attest-build-provenance',
    'gh release create',
  ]
  const places = order.map((begin) => steps.findIndex((step) => step.startsWith(begin)))
  expect(places).not.toContain(-1)
  expect(places).toEqual(places.toSorted((a, b) => a - b))
})

/** The Go module that checks workflow files; fetched by Go, once. */
const LINTER = 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.7'

test('actionlint finds no fault', ({ skip }) => {
  skip(spawnSync('go', ['version']).status !== 0, 'Go is missing, and actionlint is a Go module')
  const files = names.map((name) => join(FOLDER, name))
  const { status, stdout, stderr } = spawnSync(
    'go',
    ['run', LINTER, '-no-color', '-shellcheck=', '-pyflakes=', ...files],
    {
      encoding: 'utf8',
    },
  )
  skip(/^go: .*(dial|lookup|proxy|timeout|disabled)/m.test(stderr), `Go cannot fetch actionlint: ${stderr}`)
  expect({ status, stdout, stderr: stderr.replace(/^go: downloading .*\n/gm, '') }).toEqual({
    status: 0,
    stdout: '',
    stderr: '',
  })
}, 600_000)
