import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Program, Unavailable } from './processes/program.ts'

const CACHE = join(import.meta.dirname, '../.cache')
const at = (path: string) => join(CACHE, 'debian13', path)

/** Why these programs of Debian 13 cannot be used; undefined if they can. */
export function debian13Missing(...names: readonly string[]): Unavailable | undefined {
  if (['made-by', ...names].every((name) => existsSync(at(name)))) return undefined
  const file = join(CACHE, 'debian13.reason')
  return {
    unavailable: existsSync(file) ? readFileSync(file, 'utf8').trim() : 'scripts/debian13 has not run',
  }
}

/**
 * A program of Debian 13 that scripts/debian13 has unpacked.
 *
 * It runs with Debian 13's loader and libraries, without chroot or mounts, so it sees the same files as any process.
 * What it reads in /etc and /usr is the machine's: trusted certificates, time zones, and ini files unless told not to.
 */
export function debian13Program(name: string): Program {
  return (args, env = process.env) => ({
    file: at('ld.so'),
    args: ['--library-path', at('lib'), at(name), ...args],
    env: { ...env, SASL_PATH: at('lib/sasl2') },
  })
}

/** The directory of the extensions of Debian 13's PHP. */
export const DEBIAN13_EXTENSIONS = at('extensions')
