import { type CommandLine, type ExitStatus, startContained } from './contained.ts'

export interface CommandResult {
  readonly status: ExitStatus
  readonly stdout: string
  readonly stderr: string
  /** Both, as they came. */
  readonly log: string
}

const LIMIT_SECONDS = 120

/** Runs a command to its end; what it leaves running is killed, and it itself when the limit is over. */
export async function runCommand(
  command: CommandLine,
  limitSeconds: number = LIMIT_SECONDS,
): Promise<CommandResult> {
  const contained = startContained(command)
  const limit = setTimeout(() => contained.signal('SIGKILL'), limitSeconds * 1000)
  const status = await contained.exited
  clearTimeout(limit)
  return { status, stdout: contained.stdout(), stderr: contained.stderr(), log: contained.log() }
}
