import { existsSync, readFileSync } from 'node:fs'
import { type Zippable, zipSync } from 'fflate'

/** A file of a buildpack, its path as it is installed. */
export interface PackedFile {
  readonly path: string
  readonly mode: 0o644 | 0o755
  readonly bytes: Uint8Array
}

/** The files of the Cloud Foundry buildpack, by path; `executable` is the one that was built. */
export function cloudFoundryBuildpack(version: string, executable: string): readonly PackedFile[] {
  const scripts = ['detect', 'finalize', 'supply'].map((name) => ({
    path: `bin/${name}`,
    mode: 0o755 as const,
    bytes: readFileSync(`buildpack/bin/${name}`),
  }))
  const texts = ['LICENSE', 'NOTICE', 'README.md'].filter(existsSync).map((path) => ({
    path,
    mode: 0o644 as const,
    bytes: readFileSync(path),
  }))
  return [
    ...scripts,
    ...texts,
    { path: 'bin/php-sessions', mode: 0o755 as const, bytes: readFileSync(executable) },
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
