import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { checks } from '../../src/doctor/checks/index.ts'
import { PAGES, readPage } from '../support/docs/pages.ts'

const source = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
  .map((path) => readFileSync(`src/${path}`, 'utf8'))

/** The ids of all findings and checks, each once. */
const ids = new Set(
  source.flatMap((text) =>
    [...text.matchAll(/(?:\bid: |\brefuse\(\s*)'([a-z]+\.[a-z0-9-]+)'/g)].map(([, id]) => id),
  ),
)
const [, ...entries] = readPage('docs/messages.md').split(/^### /m)

test('docs/messages.md has a heading for every id, in order, and for no other', () => {
  expect(entries.map((entry) => entry.split('\n')[0])).toEqual([...ids].sort())
})

test('every id has a text', () => {
  const empty = entries.filter((entry) => entry.split('\n').slice(1).join('').trim().length < 30)
  expect(empty).toEqual([])
})

test('an id that is a check says so, with "Check" or "Also a check"', () => {
  const called = entries.filter((entry) => /^(Also a check|Check\b)/m.test(entry))
  expect(called.map((entry) => entry.split('\n')[0])).toEqual(checks.map(({ id }) => id).sort())
})

test('docs/doctor.md lists the checks in the order in which they are made', () => {
  const listed = [...readPage('docs/doctor.md').matchAll(/^\| \[`([a-z.-]+)`\]/gm)].map(([, id]) => id)
  expect(listed).toEqual(checks.map(({ id }) => id))
})

test('every message that a page shows is one of the doctor, word for word', () => {
  const shown = PAGES.flatMap(({ text }) => text.match(/^ {4}[✗!] .+\n(?: {8}.+\n)+/gm) ?? [])
  const snapshots = readPage('test/doctor/__snapshots__/messages.test.ts.snap')
  expect(shown.length).toBeGreaterThan(0)
  for (const message of shown) expect(snapshots).toContain(message.replace(/^ {4}/gm, ''))
})
