import { cpSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Buildpack } from '../../lab/cloudfoundry/lifecycle.ts'
import { writeProgram } from '../../lab/processes/program.ts'
import { makeScratch } from '../../lab/processes/scratch.ts'

const HERE = import.meta.dirname

/** The first that exists: in a checkout, where this is a file of `playground/engine`, or beside the bundle in a package. */
function find(...paths: readonly string[]): string {
  const found = paths.map((path) => join(HERE, path)).find(existsSync)
  if (found === undefined) throw new Error(`none of these exists: ${paths.join(', ')}; run scripts/build`)
  return found
}

/** A file of the playground that the npm package has beside the bundle. */
export const playgroundFile = (name: string) => find(`../${name}`, name, `../../dist/playground/${name}`)

let made: Buildpack | undefined

/** The buildpack of php-sessions, with the executable if it was built here, otherwise with the same program for Node. */
export function sessionsBuildpack(): Buildpack {
  if (made !== undefined) return made
  const directory = makeScratch('buildpack')
  cpSync(find('../../buildpack/bin', 'bin'), join(directory, 'bin'), { recursive: true })
  const program = find(
    '../../dist/php-sessions',
    '../php-sessions',
    '../../dist/php-sessions.mjs',
    '../php-sessions.mjs',
  )
  const target = join(directory, 'bin/php-sessions')
  if (program.endsWith('.mjs')) writeProgram(target, { file: process.execPath, args: [program], env: {} })
  else cpSync(program, target)
  made = { name: 'php-sessions', directory }
  return made
}
