import { type CommandLine, type ExitStatus, startGroup } from './process-group.ts'

export interface CommandResult {
  readonly status: ExitStatus
  readonly stdout: string
  readonly stderr: string
  /** Both, as they came. */
  readonly log: string
}

const LIMIT_SECONDS = 120

/** Runs a command to its end; what it left running, or itself after two minutes, is killed. */
export async function runCommand(
  command: CommandLine,
  limitSeconds: number = LIMIT_SECONDS,
): Promise<CommandResult> {
  const group = startGroup(command)
  const limit = setTimeout(() => group.signal('SIGKILL'), limitSeconds * 1000)
  const status = await group.exited
  clearTimeout(limit)
  return { status, stdout: group.stdout(), stderr: group.stderr(), log: group.log() }
}
