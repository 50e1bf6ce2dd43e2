import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from './processes/command.ts'
import type { Unavailable } from './processes/program.ts'
import { makeScratch } from './processes/scratch.ts'

const CACHE = join(import.meta.dirname, '../.cache/unpacked')
const LIMIT_SECONDS = 120

/** A directory with the files of packages, as they lie below / where they are installed. */
export interface Unpacked {
  readonly directory: string
  /** For programs whose libraries are among the packages. */
  readonly libraryPath: string
}

/**
 * Fetches packages of this machine's own distribution with apt and unpacks them, once; nothing is installed. A package
 * may have other names, after a bar: the first that there is counts.
 */
export async function unpackPackages(
  name: string,
  packages: readonly string[],
): Promise<Unpacked | Unavailable> {
  const directory = join(CACHE, name)
  if (!existsSync(directory)) {
    const scratch = makeScratch('apt')
    for (const names of packages) {
      const missing = await download(names.split('|'), scratch)
      if (missing !== undefined) return { unavailable: missing }
    }
    mkdirSync(CACHE, { recursive: true })
    const complete = `${directory}.${process.pid}`
    for (const file of readdirSync(scratch)) {
      const args = ['-x', join(scratch, file), complete]
      const { status, log } = await runCommand({ file: 'dpkg-deb', args }, LIMIT_SECONDS)
      if (status !== 0) return { unavailable: `dpkg-deb cannot unpack ${file}: ${log.trim()}` }
    }
    if (!existsSync(directory)) renameSync(complete, directory)
  }
  const libraries = join(directory, 'usr/lib')
  const triplets = existsSync(libraries)
    ? readdirSync(libraries).filter((entry) => entry.includes('-linux-'))
    : []
  return { directory, libraryPath: triplets.map((entry) => join(libraries, entry)).join(':') }
}

/** Why none of these packages can be had; undefined if one lies in the directory now. */
async function download(names: readonly string[], directory: string): Promise<string | undefined> {
  for (const name of names) {
    const args = ['-q', '-o', 'APT::Sandbox::User=root', 'download', name]
    const { status } = await runCommand({ file: 'apt-get', args, cwd: directory }, LIMIT_SECONDS)
    if (status === 0) return undefined
  }
  return `apt-get cannot download ${names.join(' or ')}`
}
