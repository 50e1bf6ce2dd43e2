import { type CommandLine, type ExitStatus, startContained } from './contained.ts'

export interface CommandResult {
  readonly status: ExitStatus
  readonly stdout: string
  readonly stderr: string
  /** Both, in the order in which they arrived. */
  readonly log: string
}

const LIMIT_SECONDS = 120

/** Runs a command to its end and kills what it leaves running; kills the command itself after the limit. */
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
