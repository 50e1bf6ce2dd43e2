import { describe, expect, test } from 'vitest'
import { makeScratch } from '../../lab/processes/scratch.ts'
import type { FileSearch } from '../../src/host/host.ts'
import { nodeHost } from '../../src/host/node.ts'
import { makeTree } from '../support/host/trees.ts'

const ALL: FileSearch = {
  names: ['*'],
  without: [],
  deepest: 64,
  followsLinks: false,
  largest: 1 << 20,
  words: [],
}

const SEARCHES: Readonly<Record<string, readonly [Partial<FileSearch>, ...string[]]>> = {
  'by name': [{ names: ['.user.ini'] }, '.user.ini', 'a/.user.ini'],
  'by the end of a name': [{ names: ['*.php'] }, 'a/b/c.php', 'a/x.php'],
  'not below some directories': [{ names: ['*.php'], without: ['b'] }, 'a/x.php'],
  'not below directories whose names end so': [{ names: ['.user.ini'], without: ['*a'] }, '.user.ini'],
  'not deeper than so': [{ names: ['*.php'], deepest: 2 }, 'a/x.php'],
  'not larger than so': [{ names: ['*.ini', '*.php'], largest: 20 }, '.user.ini', 'a/b/c.php', 'a/x.php'],
  'through links, but in no circle': [
    { names: ['*.php'], followsLinks: true },
    ...['a/b/c.php', 'a/x.php', 'link/c.php', 'linked.php'],
  ],
  'with a word, in whatever case, also behind 64 KB': [
    { words: ['nothing', 'Php_Value'] },
    ...['.htaccess', 'large'],
  ],
}

describe('a search finds regular files', () => {
  test.each(Object.entries(SEARCHES))('%s', (_what, [search, ...expected]) => {
    const directory = makeTree(makeScratch('find'))
    const found = nodeHost.findFiles([`${directory}/nowhere`, directory], { ...ALL, ...search })
    expect(found.map((path) => path.slice(directory.length + 1)).toSorted()).toEqual(expected)
  })

  test('in a directory that is a link itself', () => {
    const directory = makeTree(makeScratch('find'))
    const found = nodeHost.findFiles([`${directory}/link`], ALL)
    expect(found).toEqual([`${directory}/link/c.php`])
  })
})

test('a directory is read at once: files, why some cannot be read, and the names of what is hidden or a directory', () => {
  const directory = makeTree(makeScratch('find'))
  const { texts, errors, others } = nodeHost.readFiles(directory)
  expect(Object.entries(texts).map(([name, text]) => [name, text.slice(-9)])).toEqual([
    ['large', 'php_value'],
    ['linked.php', '?php // x'],
  ])
  expect(errors?.map(({ message }) => message)).toEqual([
    `cannot read ${directory}/fifo: it is not a regular file`,
  ])
  expect(others).toEqual(['.htaccess', '.user.ini', 'a', 'link'])
  for (const path of ['nowhere', 'linked.php'])
    expect(nodeHost.readFiles(`${directory}/${path}`)).toEqual({ texts: {} })
})
