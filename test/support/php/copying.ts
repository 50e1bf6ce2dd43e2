import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Service, vcapServices } from '../../../lab/bindings.ts'
import { runCommand } from '../../../lab/processes/command.ts'
import { startContained } from '../../../lab/processes/contained.ts'
import { writeProgram } from '../../../lab/processes/program.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { EXECUTABLE } from '../homes/cloudfoundry.ts'
import type { PhpUnderTest } from './php.ts'

/** What `copy --json` prints. */
export interface Copied {
  readonly done: boolean
  readonly copied: number
  readonly skipped: Readonly<Record<'there' | 'expired' | 'locked' | 'refused', number>>
}

export interface CopyOptions {
  readonly services: readonly Service[]
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Lines of php.ini. */
  readonly ini?: string
}

/** How `php-sessions copy` is started in a shell, with this PHP as the app's. */
export function copyCommand({ php }: PhpUnderTest, { services, args, env = {}, ini = '' }: CopyOptions) {
  const directory = makeScratch('copy')
  for (const name of ['bin', 'ini']) mkdirSync(join(directory, name))
  writeProgram(join(directory, 'bin/php'), php.cli([], {}))
  writeFileSync(join(directory, 'ini/app.ini'), ini)
  return {
    file: EXECUTABLE,
    args: ['copy', '--fpm', 'none', ...args],
    env: {
      PATH: `${join(directory, 'bin')}:${process.env.PATH}`,
      PHP_INI_SCAN_DIR: join(directory, 'ini'),
      VCAP_SERVICES: vcapServices(...services),
      ...env,
    },
    cwd: directory,
  }
}

/** Runs `php-sessions copy` to its end. */
export async function runCopy(php: PhpUnderTest, options: CopyOptions) {
  const { status, stdout, stderr } = await runCommand(copyCommand(php, options))
  return {
    status,
    stdout,
    stderr,
    json: options.args.includes('--json') ? (JSON.parse(stdout || '{}') as Copied) : undefined,
  }
}

export const startCopy = (php: PhpUnderTest, options: CopyOptions) =>
  startContained(copyCommand(php, options))
