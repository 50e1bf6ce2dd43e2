import { gzipSync } from 'fflate'
import type { PackedFile } from './buildpack.ts'

const BLOCK_BYTES = 512

/** Packs files and their directories as a gzipped tar, sorted by path; the same files always give the same bytes. */
export function tgz(files: readonly PackedFile[]): Uint8Array {
  const directories = new Set(files.flatMap(({ path }) => path.match(/^.*\//)?.[0] ?? []))
  const entries = [
    ...[...directories].map((path) => ({ path, mode: 0o755, bytes: new Uint8Array() })),
    ...files,
  ].sort((a, b) => (a.path < b.path ? -1 : 1))
  const blocks = entries.flatMap(({ path, mode, bytes }) => [header(path, mode, bytes.length), padded(bytes)])
  const tar = Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK_BYTES)])
  return gzipSync(tar, { level: 9, mtime: 0 })
}

/** A header in the format of POSIX.1-1988; the owner is root, the time is in 1980. */
function header(path: string, mode: number, size: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES)
  block.write(path, 0)
  block.write(octal(mode, 7), 100)
  block.write(octal(0, 7), 108)
  block.write(octal(0, 7), 116)
  block.write(octal(size, 11), 124)
  block.write(octal(EARLIEST_SECONDS, 11), 136)
  block.write(' '.repeat(8), 148)
  block.write(path.endsWith('/') ? '5' : '0', 156)
  block.write('ustar\x0000', 257)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${octal(sum, 6)}\0 `, 148)
  return block
}

/** The first second of 1980 in UTC; a zip has the same day. */
const EARLIEST_SECONDS = 315_532_800

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}

function padded(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(Math.ceil(bytes.length / BLOCK_BYTES) * BLOCK_BYTES)
  whole.set(bytes)
  return whole
}
