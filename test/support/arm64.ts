import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const EXECUTABLE = join(import.meta.dirname, '../../dist/php-sessions-aarch64')

/** Why there is no executable for arm64; undefined if there is. */
export const arm64Unavailable =
  process.arch !== 'x64'
    ? 'it is built on x86-64 only'
    : spawnSync('aarch64-linux-gnu-gcc', ['--version']).status === 0
      ? undefined
      : 'aarch64-linux-gnu-gcc is missing: scripts/setup --arm64 installs it'

const emulator = ['qemu-aarch64-static', 'qemu-aarch64'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
)

/** Why the executable for arm64 cannot be run; undefined if it can. */
export const emulatorUnavailable =
  arm64Unavailable ??
  (emulator === undefined ? 'qemu-aarch64-static is missing: scripts/setup --arm64 installs it' : undefined)

/** The command that runs the executable for arm64 in an emulator; undefined where that is impossible. */
export const ARM64 =
  emulatorUnavailable !== undefined || emulator === undefined || !existsSync(EXECUTABLE)
    ? undefined
    : ([absolute(emulator), EXECUTABLE] as const)

/** The tests give programs an empty PATH. */
function absolute(name: string): string {
  return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim()
}
