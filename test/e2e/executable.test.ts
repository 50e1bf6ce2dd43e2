import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'

/** A release is made by the gcc of Debian 12. That of Ubuntu 24.04 adds 2 %. */
const LARGEST_BYTES = gccVersion() === '12' ? 1_200_000 : 1_240_000
const EXECUTABLE = 'dist/php-sessions'

beforeAll(() => {
  execFileSync('scripts/build')
})

test('the executable is small', () => {
  expect(statSync(EXECUTABLE).size).toBeLessThanOrEqual(LARGEST_BYTES)
})

test('the executable needs no dynamic library and no loader', () => {
  const DYNAMIC = 2
  const INTERPRETER = 3
  const kinds = programHeaderTypes(readFileSync(EXECUTABLE))
  expect(kinds.length).toBeGreaterThan(0)
  expect(kinds).not.toContain(DYNAMIC)
  expect(kinds).not.toContain(INTERPRETER)
})

test('the executable holds no path of the machine that built it', () => {
  expect(readFileSync(EXECUTABLE).includes(process.cwd())).toBe(false)
})

test('a build with nothing to do leaves the executable as it is', () => {
  const before = statSync(EXECUTABLE)
  execFileSync('scripts/build')
  expect(statSync(EXECUTABLE)).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs })
})

test('both builds print the same help', () => {
  const run = (program: string) => execFileSync(program, ['--help'], { encoding: 'utf8' })
  expect(run(EXECUTABLE)).toBe(run('dist/php-sessions.mjs'))
})

/** The p_type of each program header of a 64-bit little-endian ELF file. */
function programHeaderTypes(elf: Buffer): readonly number[] {
  const start = Number(elf.readBigUInt64LE(32))
  const size = elf.readUInt16LE(54)
  return Array.from({ length: elf.readUInt16LE(56) }, (_, i) => elf.readUInt32LE(start + i * size))
}

function gccVersion(): string {
  return execFileSync('gcc', ['-dumpversion'], { encoding: 'utf8' }).trim()
}
