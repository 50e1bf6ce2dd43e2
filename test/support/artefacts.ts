import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
export const DIST = join(ROOT, 'dist')
export const VERSION = execFileSync(join(ROOT, 'scripts/version'), { encoding: 'utf8' }).trim()
export const NPM_TARBALL = `php-sessions-npm-${VERSION}.tgz`

/** A file in a tar archive of `DIST`. */
export function fileIn(archive: string, path: string): string {
  return execFileSync('tar', ['-xzOf', join(DIST, archive), path], { encoding: 'utf8' })
}

/** The Unix mode of each file, from the central directory (APPNOTE.TXT 4.3.12), which fflate does not give. */
export function zipModes(bytes: Buffer): Readonly<Record<string, number>> {
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
