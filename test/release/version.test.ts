import { execFileSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeScratch } from '../../lab/processes/scratch.ts'

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string }
const COMMIT = /\+g[0-9a-f]{9}/

/** Nothing of the machine's own configuration of git. */
const ENV = {
  PATH: process.env.PATH,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.com',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.com',
}

/** A checkout with what scripts/version reads. */
function makeCheckout() {
  const directory = makeScratch('version')
  mkdirSync(join(directory, 'scripts'))
  for (const path of ['package.json', '.gitattributes', 'scripts/version'])
    cpSync(path, join(directory, path))
  const run = (file: string, ...args: string[]) =>
    execFileSync(file, args, { cwd: directory, env: ENV, encoding: 'utf8' }).trim()
  const git = (...args: string[]) => run('git', ...args)
  const commit = () => {
    git('add', '.')
    git('commit', '--quiet', '--allow-empty', '--message', 'x')
  }
  git('init', '--quiet')
  commit()
  return { directory, git, commit, printed: () => run('scripts/version') }
}

/** What the tarball that a forge makes of a commit prints. */
function printedInArchive({ directory }: { readonly directory: string }, name: string): string {
  const archive = execFileSync('git', ['archive', name], { cwd: directory, env: ENV })
  const unpacked = makeScratch('archive')
  execFileSync('tar', ['-x', '-C', unpacked], { input: archive })
  return execFileSync(join(unpacked, 'scripts/version'), { env: ENV, encoding: 'utf8' }).trim()
}

test('at the tag of its version a checkout has the version of package.json, and so has its tarball', () => {
  const checkout = makeCheckout()
  checkout.git('tag', '--no-sign', `v${version}`)
  expect(checkout.printed()).toBe(version)
  expect(printedInArchive(checkout, `v${version}`)).toBe(version)
})

test('another commit says which it is, in its tarball too, and that files have changed since', () => {
  const checkout = makeCheckout()
  checkout.git('tag', '--no-sign', 'v99.0.0')
  const printed = checkout.printed()
  expect(printed.replace(COMMIT, '')).toBe(version)
  expect(printed).toMatch(COMMIT)
  expect(printedInArchive(checkout, 'HEAD')).toBe(printed)
  writeFileSync(join(checkout.directory, 'untracked'), '')
  expect(checkout.printed()).toBe(printed)
  appendFileSync(join(checkout.directory, 'package.json'), '\n')
  expect(checkout.printed()).toBe(`${printed}.dirty`)
})

test('changed files at the tag are not the tagged version', () => {
  const checkout = makeCheckout()
  checkout.git('tag', '--no-sign', `v${version}`)
  appendFileSync(join(checkout.directory, 'package.json'), '\n')
  expect(checkout.printed()).toMatch(/\+g[0-9a-f]{9}\.dirty$/)
})

test('without a commit it is the version of package.json', () => {
  const checkout = makeCheckout()
  rmSync(join(checkout.directory, '.git'), { recursive: true })
  expect(checkout.printed()).toBe(version)
  checkout.git('init', '--quiet')
  expect(checkout.printed()).toBe(version)
})
