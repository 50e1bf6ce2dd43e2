import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { type Zippable, zipSync } from 'fflate'

/** A file of a buildpack, its path as it is installed. */
export interface PackedFile {
  readonly path: string
  readonly mode: 0o644 | 0o755
  readonly bytes: Uint8Array
}

/** What goes into a buildpack beside the files of the checkout. */
export interface Release {
  readonly version: string
  /** As Go and container images call it. */
  readonly arch: string
  /** The one that was built. */
  readonly executable: string
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64' }

/** What Go and container images call the machine that `uname -m` names. */
export function goArchitecture(machine: string): string {
  return ARCHITECTURES[machine] ?? machine
}

/** The files of the buildpack, by path: one directory for Cloud Foundry and for Cloud Native Buildpacks. */
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

/** Packs files so that the same files give the same bytes, whenever and wherever. */
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
/** The first day a zip can tell. Made of local parts, since a zip holds local time. */
const EARLIEST = new Date(1980, 0, 1)
