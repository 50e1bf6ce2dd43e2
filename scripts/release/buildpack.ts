import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { type Zippable, zipSync } from 'fflate'

/** A file of a buildpack, under the path that it has in the buildpack. */
export interface PackedFile {
  readonly path: string
  readonly mode: 0o644 | 0o755
  readonly bytes: Uint8Array
}

/** What a buildpack needs beside the files of the checkout. */
export interface Release {
  readonly version: string
  /** The architecture as Go and container images name it. */
  readonly arch: string
  /** The path of the built executable. */
  readonly executable: string
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64' }

/** Gives the name that Go and container images have for what `uname -m` prints. */
export function goArchitecture(machine: string): string {
  return ARCHITECTURES[machine] ?? machine
}

/** Gives the files of the buildpack, sorted by path; Cloud Foundry and Cloud Native Buildpacks get the same. */
export function buildpackFiles({ version, arch, executable }: Release): readonly PackedFile[] {
  const scripts = readdirSync('buildpack/bin').map((name) => ({
    path: `bin/${name}`,
    mode: 0o755 as const,
    bytes: readFileSync(`buildpack/bin/${name}`),
  }))
  const texts = ['LICENSE', 'NOTICE', 'README.md'].filter(existsSync).map((path) => ({
    path,
    mode: 0o644 as const,
    bytes: readFileSync(path),
  }))
  const description = readFileSync('buildpack/buildpack.toml', 'utf8')
    .replace('@VERSION@', version)
    .replace('@ARCH@', arch)
  return [
    ...scripts,
    ...texts,
    { path: 'bin/php-sessions', mode: 0o755 as const, bytes: readFileSync(executable) },
    { path: 'buildpack.toml', mode: 0o644 as const, bytes: Buffer.from(description) },
    { path: 'VERSION', mode: 0o644 as const, bytes: Buffer.from(`${version}\n`) },
  ].sort((a, b) => (a.path < b.path ? -1 : 1))
}

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
