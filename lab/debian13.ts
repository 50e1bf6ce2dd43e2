import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CommandLine } from './processes/contained.ts'

/** Starts a program with these arguments; `env` is the whole environment, that of this process when absent. */
export type Program = (
  args: readonly string[],
  env?: CommandLine['env'],
) => Required<Pick<CommandLine, 'file' | 'args' | 'env'>>

/** Why something is not here. */
export interface Unavailable {
  readonly unavailable: string
}

const CACHE = join(import.meta.dirname, '../.cache')
const at = (path: string) => join(CACHE, 'debian13', path)

/** Why these programs of Debian 13 are not here, if they are not. */
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
 * It runs on Debian 13's loader and libraries, without chroot or mounts, so it sees the files that we see. What it
 * looks for in /etc and /usr is the machine's: trusted certificates, time zones, and ini files unless told not to.
 */
export function debian13Program(name: string): Program {
  return (args, env = process.env) => ({
    file: at('ld.so'),
    args: ['--library-path', at('lib'), at(name), ...args],
    env: { ...env, SASL_PATH: at('lib/sasl2') },
  })
}

/** Where the extensions of its PHP are. */
export const DEBIAN13_EXTENSIONS = at('extensions')
