import { execFileSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import type { Program } from '../debian13.ts'

/** Writes a program that starts another one, for a PATH. */
export function writeProgram(path: string, { file, args, env }: ReturnType<Program>): void {
  const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
  const variables = Object.entries(env).map(([name, value]) => `export ${name}=${quote(value ?? '')}\n`)
  writeFileSync(
    path,
    `#!/bin/sh\n${variables.join('')}exec ${[pathOf(file), ...args].map(quote).join(' ')} "$@"\n`,
  )
  chmodSync(path, 0o755)
}

/** Where PATH leads to without the programs that we write, which are called alike. */
function pathOf(file: string): string {
  return execFileSync('sh', ['-c', 'command -v "$0"', file], { encoding: 'utf8' }).trim()
}
