import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { type CommandLine, type ExitStatus, startGroup } from './process-group.ts'

export interface CommandResult {
  readonly status: ExitStatus
  readonly stdout: string
  readonly stderr: string
  /** Both, as they came. */
  readonly log: string
}

const LIMIT_SECONDS = 120

/** Runs a command to its end; what is left of its process group then, or after two minutes, is killed. */
export async function runCommand(command: CommandLine): Promise<CommandResult> {
  const group = startGroup(command)
  const { stdout, stderr } = group.child
  if (stdout === null || stderr === null) throw new Error('a command without output streams')
  const limit = new AbortController()
  void sleep(LIMIT_SECONDS * 1000, undefined, { signal: limit.signal, ref: false }).then(
    () => group.signal('SIGKILL'),
    () => {},
  )
  const [status, out, err] = await Promise.all([group.exited, text(stdout), text(stderr)])
  limit.abort()
  return { status, stdout: out, stderr: err, log: group.log() }
}
