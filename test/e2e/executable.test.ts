import { execFileSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unzipSync } from 'fflate'
import { parse } from 'smol-toml'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { buildpackFiles, zip } from '../../scripts/release/buildpack.ts'
import { tgz } from '../../scripts/release/tar.ts'

const LARGEST_BYTES = 1_200_000
const EXECUTABLE = 'dist/php-sessions'
const RELEASE = { version: '1.2.3', arch: 'amd64', executable: EXECUTABLE }

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

test('the same sources in another directory give the same bytes', () => {
  const checkout = copyCheckout()
  execFileSync(join(checkout, 'scripts/build'))
  for (const name of ['php-sessions', 'php-sessions.mjs'])
    expect(readFileSync(join(checkout, 'dist', name)).equals(readFileSync(join('dist', name)))).toBe(true)
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

test('the buildpack is the same zip every time, with its scripts at the root and executable', () => {
  const files = buildpackFiles(RELEASE)
  const packed = zip(files)
  expect(Buffer.from(zip(files)).equals(packed)).toBe(true)

  expect(Object.keys(unzipSync(packed))).toEqual(files.map(({ path }) => path))
  const modes = zipModes(Buffer.from(packed))
  expect(modes).toMatchObject({ VERSION: 0o100644, 'bin/php-sessions': 0o100755 })
  for (const script of ['build', 'detect', 'finalize', 'supply'])
    expect(modes[`bin/${script}`]).toBe(0o100755)
})

test('the Cloud Native Buildpack is the same tgz every time, with the same files, sorted and owned by root', () => {
  const files = buildpackFiles(RELEASE)
  const packed = tgz(files)
  expect(Buffer.from(tgz(files)).equals(packed)).toBe(true)

  const list = execFileSync('tar', ['-tvzf', '-', '--numeric-owner', '--utc', '--full-time'], {
    input: packed,
  })
  const lines = list.toString().trim().split('\n')
  const entries = lines.map((line) => line.split(/ +/))
  expect(entries.map(([, , , , , path]) => path)).toEqual(['bin/', ...files.map(({ path }) => path)].sort())
  for (const [, owner, , day, time] of entries)
    expect({ owner, day, time }).toEqual({ owner: '0/0', day: '1980-01-01', time: '00:00:00' })
  for (const script of ['build', 'detect', 'php-sessions'])
    expect(entries.find((entry) => entry[5] === `bin/${script}`)?.[0]).toBe('-rwxr-xr-x')
  const toml = execFileSync('tar', ['-xzOf', '-', 'buildpack.toml'], { input: packed, encoding: 'utf8' })
  expect(parse(toml)).toMatchObject({
    buildpack: { id: 'php-sessions/php-sessions', version: '1.2.3' },
    targets: [{ os: 'linux', arch: 'amd64' }],
  })
})

function copyCheckout(): string {
  const checkout = mkdtempSync(join(tmpdir(), 'php-sessions-'))
  onTestFinished(() => rmSync(checkout, { recursive: true }))
  for (const path of ['buildpack', 'lab', 'native', 'playground', 'scripts', 'src'])
    cpSync(path, join(checkout, path), { recursive: true })
  symlinkSync(join(process.cwd(), 'node_modules'), join(checkout, 'node_modules'))
  // Compiling QuickJS again would take a minute. Its compilation uses relative names only.
  mkdirSync(join(checkout, '.cache'))
  for (const name of readdirSync('.cache').filter((name) => name.startsWith('runtime-')))
    symlinkSync(join(process.cwd(), '.cache', name), join(checkout, '.cache', name))
  return checkout
}

/** The p_type of each program header of a 64-bit little-endian ELF file. */
function programHeaderTypes(elf: Buffer): readonly number[] {
  const start = Number(elf.readBigUInt64LE(32))
  const size = elf.readUInt16LE(54)
  return Array.from({ length: elf.readUInt16LE(56) }, (_, i) => elf.readUInt32LE(start + i * size))
}

/** The Unix mode of each file, from the central directory (APPNOTE.TXT 4.3.12), which fflate does not give. */
function zipModes(bytes: Buffer): Readonly<Record<string, number>> {
  const modes: Record<string, number> = {}
  const end = bytes.lastIndexOf('PK\x05\x06')
  let at = bytes.readUInt32LE(end + 16)
  while (at < end) {
    const nameLength = bytes.readUInt16LE(at + 28)
    modes[bytes.toString('utf8', at + 46, at + 46 + nameLength)] = bytes.readUInt32LE(at + 38) >>> 16
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32)
  }
  return modes
}
