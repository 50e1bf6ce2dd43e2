import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { OPTIONS } from '../../src/core/options.ts'

const source = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
  .map((path) => ({ path: `src/${path}`, text: readFileSync(`src/${path}`, 'utf8') }))

/** Every id in these sources, each once. */
const idsIn = (isWanted: (path: string) => boolean) =>
  new Set(
    source
      .filter(({ path }) => isWanted(path))
      .flatMap(({ text }) =>
        [...text.matchAll(/(?:id: |refuse\(\s*)'([a-z]+\.[a-z0-9-]+)'/g)].map(([, id]) => id),
      ),
  )
const documentedIn = (page: string) =>
  new Set([...readFileSync(page, 'utf8').matchAll(/^\| `([a-z0-9.-]+)`/gm)].map(([, id]) => id))
const isOfDoctor = (path: string) => path.startsWith('src/doctor/')

test('docs/messages.md has every id of a finding, in order, and no other', () => {
  const documented = [...documentedIn('docs/messages.md')]
  expect(documented).toEqual([...idsIn((path) => !isOfDoctor(path))].sort())
})

test('docs/doctor.md has every id of a check and of its findings, and no other', () => {
  expect([...documentedIn('docs/doctor.md')].sort()).toEqual([...idsIn(isOfDoctor)].sort())
})

test('the README has every setting, and at most 120 lines', () => {
  const readme = readFileSync('README.md', 'utf8')
  for (const name of Object.keys(OPTIONS)) expect(readme).toContain(`| \`${name}\` |`)
  expect(readme.split('\n').length).toBeLessThanOrEqual(120)
})

test('every test that the documentation names exists', () => {
  for (const page of readdirSync('docs').filter((name) => name.includes('.'))) {
    const named = [...readFileSync(`docs/${page}`, 'utf8').matchAll(/`?(test\/[a-z0-9/-]+\.ts)/g)].map(
      ([, path = '']) => path,
    )
    expect({ page, missing: named.filter((path) => !existsSync(path)) }).toEqual({ page, missing: [] })
  }
})
