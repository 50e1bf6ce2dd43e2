import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readPage } from '../support/docs/pages.ts'

test('the architecture lists every file in which a secret is revealed, and no other', () => {
  const revealing = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && path !== 'core/secret.ts')
    .map((path) => `src/${path}`)
    .filter((path) => /\.reveal\(|revealIfSecret\(/.test(readPage(path)))
  const [, section = ''] = readPage('docs/internals/architecture.md').split('## Where a secret leaves')
  const listed = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| `(src\/[\w./-]+)`/gm)].map(
    ([, path]) => path,
  )
  expect(listed.toSorted()).toEqual(revealing.toSorted())
})

test('the architecture says how to find the sentence of a message, and that finds each', () => {
  const page = readPage('docs/internals/architecture.md')
  const [, before, after] = /`grep -rn "([^\w"]*)tls\.name([^"]*)" src`/.exec(page) ?? []
  const texts = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readPage(`src/${path}`))
  const ids = [...readPage('docs/messages.md').matchAll(/^### ([a-z0-9]+\.[a-z0-9-]+)$/gm)].map(
    ([, id]) => id,
  )
  expect(ids.length).toBeGreaterThan(150)
  expect(ids.filter((id) => !texts.some((text) => text.includes(`${before}${id}${after}`)))).toEqual([])
})

test('the architecture shows every folder of src', () => {
  const [, picture = ''] = readPage('docs/internals/architecture.md').split('```')
  const folders = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const missing = folders.map(({ name }) => name).filter((name) => !new RegExp(`\\b${name}\\b`).test(picture))
  expect(missing).toEqual([])
})

test('the architecture has every folder of the checkout, and those of the playground', () => {
  const [, section = ''] = readPage('docs/internals/architecture.md').split('## The checkout')
  const [text = ''] = section.split('\n## ')
  const folders = ['.', 'playground'].flatMap((parent) =>
    readdirSync(parent, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !/^\.|^node_modules$|^dist$/.test(entry.name))
      .map(({ name }) => name),
  )
  expect(folders.filter((name) => !text.includes(`\`${name}\``))).toEqual([])
})
