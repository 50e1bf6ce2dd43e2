import { execFileSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import type { CommandLine } from './contained.ts'
import { quoteForShell } from './words.ts'

/** Gives a program's command line with these arguments; `env` is the whole environment, this process's if absent. */
export type Program = (
  args: readonly string[],
  env?: CommandLine['env'],
) => Required<Pick<CommandLine, 'file' | 'args' | 'env'>>

/** Why something cannot be used on this machine. */
export interface Unavailable {
  readonly unavailable: string
}

/** Writes a program into a directory of PATH that starts another program with these arguments and variables. */
export function writeProgram(path: string, { file, args, env }: ReturnType<Program>): void {
  const variables = Object.entries(env).map(
    ([name, value]) => `export ${name}=${quoteForShell(value ?? '')}\n`,
  )
  const command = [pathOf(file), ...args].map(quoteForShell).join(' ')
  writeFileSync(path, `#!/bin/sh\n${variables.join('')}exec ${command} "$@"\n`)
  chmodSync(path, 0o755)
}

/** Resolves a name by this process's PATH: in the PATH with the new program, the name would lead to that program. */
function pathOf(file: string): string {
  return execFileSync('sh', ['-c', 'command -v "$0"', file], { encoding: 'utf8' }).trim()
}
