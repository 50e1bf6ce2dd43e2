import { readFileSync } from 'node:fs'
import { type Zippable, zipSync } from 'fflate'

/** A file of an archive, under the path that it has there. */
export interface PackedFile {
  readonly path: string
  readonly mode: 0o644 | 0o755
  readonly bytes: Uint8Array
}

/** What is released, from where. */
export interface Release {
  /** As `php-sessions --version` prints it. */
  readonly version: string
  /** The paths of the built executables, by the architecture as `uname -m` prints it. */
  readonly executables: Readonly<Partial<Record<Machine, string>>>
}

/** An architecture as `uname -m` prints it. */
export type Machine = keyof typeof GO_NAMES

/** The names that Go and container images have for architectures. */
const GO_NAMES = { x86_64: 'amd64', aarch64: 'arm64' } as const

/** Reads files of the checkout. */
export function readFiles(paths: readonly string[], mode: PackedFile['mode']): readonly PackedFile[] {
  return paths.map((path) => ({ path, mode, bytes: readFileSync(path) }))
}

/** What stands beside the program in every archive. */
export const TEXTS = ['LICENSE', 'NOTICE', 'README.md'] as const

/** Gives the files of the buildpack for Cloud Foundry, which has x86-64 only, sorted by path. */
export function cloudFoundryFiles({ version, executables }: Release): readonly PackedFile[] | undefined {
  if (executables.x86_64 === undefined) return undefined
  return sorted([
    ...scripts(['detect', 'finalize', 'supply']),
    ...readFiles(TEXTS, 0o644),
    { path: 'bin/php-sessions', mode: 0o755, bytes: readFileSync(executables.x86_64) },
    text('VERSION', `${version}\n`),
  ])
}

/**
 * Gives the files of the Cloud Native Buildpack, sorted by path. It is one for all architectures: a buildpack.toml may list
 * several targets, but there is only one bin/build, and people give `pack` one path or address.
 */
export function cnbFiles({ version, executables }: Release): readonly PackedFile[] {
  const programs = Object.entries(executables).map(([machine, path]) => ({
    arch: GO_NAMES[machine as Machine],
    bytes: readFileSync(path),
  }))
  const targets = programs.map(({ arch }) => `[[targets]]\nos = "linux"\narch = "${arch}"\n`)
  // The specification allows three numbers and nothing after them.
  const description = readFileSync('buildpack/buildpack.toml', 'utf8')
    .replace('@VERSION@', version.replace(/[-+].*/, ''))
    .replace('@TARGETS@\n', targets.join('\n'))
  return sorted([
    ...scripts(['build', 'detect', 'executable']),
    ...readFiles(TEXTS, 0o644),
    ...programs.map(({ arch, bytes }) => ({ path: `bin/php-sessions-${arch}`, mode: 0o755 as const, bytes })),
    text('buildpack.toml', description),
    text('VERSION', `${version}\n`),
  ])
}

const scripts = (names: readonly string[]): readonly PackedFile[] =>
  names.map((name) => ({ path: `bin/${name}`, mode: 0o755, bytes: readFileSync(`buildpack/bin/${name}`) }))

const text = (path: string, content: string): PackedFile => ({
  path,
  mode: 0o644,
  bytes: Buffer.from(content),
})

const sorted = (files: readonly PackedFile[]) => files.toSorted((a, b) => (a.path < b.path ? -1 : 1))

/** Packs files as a zip; the same files always give the same bytes. */
export function zip(files: readonly PackedFile[]): Uint8Array {
  const entries: Zippable = {}
  for (const { path, mode, bytes } of files)
    entries[path] = [
      bytes,
      { os: UNIX, attrs: ((REGULAR_FILE | mode) << 16) >>> 0, mtime: EARLIEST, level: 9 },
    ]
  return zipSync(entries)
}

const UNIX = 3
const REGULAR_FILE = 0o100000
/** The earliest day that a zip can hold, in local time, as in every zip. */
const EARLIEST = new Date(1980, 0, 1)
