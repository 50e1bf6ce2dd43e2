import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'
import { OPTIONS } from '../../src/core/options.ts'
import { anchorsOf, PAGES, readPage, withoutBlocks } from '../support/docs/pages.ts'
import { BROKER_SHAPES, FIELD_SHAPES } from '../support/values/shapes.ts'

const LONGEST_CELL = 80
const LONGEST_ROW = 160

/** The links of a page to files of the checkout, as paths with an anchor. */
function linksOf(path: string, text: string): readonly { readonly file: string; readonly anchor: string }[] {
  return [...withoutBlocks(text).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file = '', anchor = ''] = target.split('#')
      return { file: file === '' ? path : normalize(join(dirname(path), file)), anchor }
    })
}

describe.each(PAGES)('$path', ({ path, text }) => {
  test('leads to files and headings that exist', () => {
    const broken = linksOf(path, text).filter(
      ({ file, anchor }) =>
        !existsSync(file) || (anchor !== '' && !anchorsOf(readPage(file)).includes(anchor)),
    )
    expect(broken).toEqual([])
  })

  test('names only files that exist', () => {
    const named = [...text.matchAll(/`((?:src|test|lab|bench|scripts|docs|native|buildpack)\/[\w./-]+)`/g)]
    // NAME stands for one that is yet to be written.
    const files = named.map(([, file = '']) => file).filter((file) => !file.includes('NAME'))
    expect(files.filter((file) => !existsSync(file))).toEqual([])
  })

  test('has one blank between two words', () => {
    const prose = withoutBlocks(text)
      .split('\n')
      .filter((line) => !line.startsWith('|'))
    expect(prose.filter((line) => /\S {2,}\S/.test(line))).toEqual([])
  })

  test('names only tests that exist', () => {
    const named = [...text.replaceAll(/\s+/g, ' ').matchAll(/(test\/[\w./-]+\.test\.ts)\S* "([^"]+)"/g)]
    const missing = named.filter(([, file = '', title = '']) => !hasTest(file, title))
    expect(missing.map(([said]) => said)).toEqual([])
  })

  test('has tables that can be read without a ruler', () => {
    const rows = text.split('\n').filter((line) => line.startsWith('|'))
    const cells = rows.flatMap((row) => row.split('|').map((cell) => shownText(cell.trim())))
    expect(cells.filter((cell) => cell.length > LONGEST_CELL)).toEqual([])
    expect(rows.filter((row) => shownText(row).length > LONGEST_ROW)).toEqual([])
  })
})

function hasTest(file: string, title: string): boolean {
  return existsSync(file) && readFileSync(file, 'utf8').includes(title.replace(/ …$/, ''))
}

/** A link takes the room of its text. */
function shownText(markdown: string): string {
  return markdown.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
}

test('each promise names a test that holds it', () => {
  const sections = [
    ['docs/contract.md', '## What php_buildpack promised', '## Where php-sessions differs'],
    ['docs/security.md', '## What is promised', '\nphp-sessions writes no setting of the cookie'],
  ] as const
  for (const [path, start, end] of sections) {
    const [text = ''] = (readPage(path).split(start)[1] ?? '').split(end)
    const promises = text.split(/^- /m).slice(1)
    expect(promises.length).toBeGreaterThan(10)
    expect(
      promises.filter((promise) => !/`test\/|Tests: (?:as|the same)|Test: the same/.test(promise)),
    ).toEqual([])
  }
})

test('lab/README.md lists only files of the lab', () => {
  const rows = readPage('lab/README.md').match(/^\| `.*?\|/gm) ?? []
  const files = rows.flatMap((row) => [...row.matchAll(/`([\w./-]+)`/g)].map(([, file]) => `lab/${file}`))
  expect(files.length).toBeGreaterThan(10)
  expect(files.filter((file) => !existsSync(file))).toEqual([])
})

test('docs/README.md leads to every page of docs', () => {
  const index = linksOf('docs/README.md', readPage('docs/README.md')).map(({ file }) => file)
  const pages = PAGES.map(({ path }) => path).filter((path) => path.startsWith('docs/'))
  expect(pages.filter((path) => path !== 'docs/README.md' && !index.includes(path))).toEqual([])
})

test('the README has settings that exist, the two commands to try it, and at most 120 lines', () => {
  const lines = readPage('README.md').split('\n')
  const rows = lines.flatMap((line) => /^\| `(\w+_\w+)`/.exec(line)?.[1] ?? [])
  expect(rows.length).toBeGreaterThan(5)
  expect(rows.filter((name) => !Object.keys(OPTIONS).includes(name))).toEqual([])
  expect(lines.filter((line) => /^ {4}scripts\/(demo|test) *(#.*)?$/.test(line))).toHaveLength(2)
  expect(lines.length).toBeLessThanOrEqual(120 + 1)
})

test('there are as many shapes of bindings as the pages say', () => {
  const count = BROKER_SHAPES.length + FIELD_SHAPES.length
  const said = PAGES.flatMap(({ text }) => [...text.matchAll(/more\s+than\s+(\d+)\s+shapes/g)])
  expect(said.length).toBeGreaterThan(0)
  for (const [words, number] of said) expect(count, words).toBeGreaterThan(Number(number))
})

test('the code names only pages that exist', () => {
  const sources = ['src', 'lab', 'bench', 'scripts', 'test'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|php|lua|c)$/.test(name))
      .map((name) => `${folder}/${name}`),
  )
  const missing = sources.flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(/\bdocs\/[\w./-]+\.(?:md|json)\b/g)]
      .map(([page]) => page)
      .filter((page) => !existsSync(page))
      .map((page) => `${path}: ${page}`),
  )
  expect(missing).toEqual([])
})
