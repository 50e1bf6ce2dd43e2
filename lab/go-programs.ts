import { createHash } from 'node:crypto'
import { cpSync, existsSync, readFileSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { runCommand } from './processes/command.ts'
import type { Unavailable } from './processes/program.ts'
import { makeScratch } from './processes/scratch.ts'

const BUILD_SECONDS = 600
const CACHE = join(import.meta.dirname, '../.cache')

/** Programs in Go that the lab builds once. */
export interface GoPrograms {
  /** The folder in .cache, and the name of the programs together. */
  readonly name: string
  /** Pins the version of their module; a go.sum beside it pins what that is made of. */
  readonly goMod: string
  /** Packages by the names that the programs get. */
  readonly packages: Readonly<Record<string, string>>
}

/**
 * Gives the directory of the programs, or why they cannot be had on this machine.
 *
 * The first time it builds them with Go. Programs that somebody else has put there are used as they are.
 */
export async function buildGoPrograms({
  name,
  goMod,
  packages,
}: GoPrograms): Promise<Unavailable | { readonly directory: string }> {
  const pin = createHash('sha256').update(readFileSync(goMod)).digest('hex').slice(0, 12)
  const directory = join(CACHE, name, pin)
  if (existsSync(directory)) return { directory }
  // In another place until all are there: several test files may build at the same time.
  const scratch = makeScratch('go')
  cpSync(goMod, join(scratch, 'go.mod'))
  const goSum = join(dirname(goMod), 'go.sum')
  if (existsSync(goSum)) cpSync(goSum, join(scratch, 'go.sum'))
  const env = { ...process.env, GOFLAGS: '-mod=mod', CGO_ENABLED: '0' }
  for (const [program, path] of Object.entries(packages)) {
    const args = ['build', '-o', join(scratch, 'bin', program), path]
    const { status, stderr } = await runCommand({ file: 'go', args, cwd: scratch, env }, BUILD_SECONDS)
    if (status === 127) return { unavailable: 'there is no Go on this machine to build it with' }
    if (status !== 0)
      return { unavailable: `Go cannot build it: ${stderr.trim().split('\n').at(-1)?.trim()}` }
  }
  const complete = `${directory}.${process.pid}`
  cpSync(join(scratch, 'bin'), complete, { recursive: true })
  if (!existsSync(directory)) renameSync(complete, directory)
  return { directory }
}
