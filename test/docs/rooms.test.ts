import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const FILES_IN_A_FOLDER = 14
const LINES_IN_A_FILE = 260

const files = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' })
  .split('\0')
  .slice(0, -1)

/** Folders that have more files, and why. */
const LARGE_FOLDERS: Readonly<Record<string, string>> = {
  'bench/results': 'a file for each benchmark',
  native: 'C files that one call of the compiler takes, and what pins their sources',
  docs: 'a page for each question that users have',
}

/** Files that have more lines, and why. */
const LONG_FILES: Readonly<Record<string, string>> = {
  'playground/page/page.css': 'one style sheet for one page',
  'src/cli/commands.ts': 'a table: every command with its options',
  'src/core/options.ts': 'a table: every setting',
  'test/doctor/cases/php.ts': 'a table: what PHP answers, and what the doctor says of it',
  'test/frameworks/apps.ts': 'a table: an app for each rule',
  'test/frameworks/recognise.test.ts': 'a table: apps with settings of their own',
  'test/support/doctor/faults.ts':
    'a table: every fault, made with a real server, and how its fix repairs it',
}

/** Snapshots, data and what is generated are as long as they are. */
const CODE = /\.(ts|tsx|mjs|php|lua|c|h|sh|css)$|^(scripts|buildpack)\/[^.]*$/

test('a folder has few files, or a reason', () => {
  const counts = new Map<string, number>()
  for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1)
  const large = [...counts].filter(
    ([folder, count]) => count > FILES_IN_A_FOLDER && !/fixtures|__snapshots__/.test(folder),
  )
  expect(large.map(([folder]) => folder).sort()).toEqual(Object.keys(LARGE_FOLDERS).sort())
})

test('a file has few lines, or a reason', () => {
  const lines = (file: string) => readFileSync(join(ROOT, file), 'utf8').split('\n').length - 1
  const long = files.filter(
    (file) => CODE.test(file) && !/fixtures/.test(file) && lines(file) > LINES_IN_A_FILE,
  )
  expect(long.sort()).toEqual(Object.keys(LONG_FILES).sort())
})
