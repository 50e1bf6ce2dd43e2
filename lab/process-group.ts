import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

/**
 * Runs a command in a process group that ends with this process, however this process ends.
 *
 * `command` must reach `exec "$@"` with file descriptor 3 closed. The one who waits holds the reading end of
 * a pipe whose other end only we have: when we are gone, by `exit` or by SIGKILL, it kills the group, itself
 * included. It is started twice removed, so that the command never sees a child that it did not start.
 */
const KILLED_WITH_US = '(while read -r _ <&3; do :; done; kill -KILL 0) >/dev/null 2>&1 & exec "$@" 3<&-'
const STARTED_TWICE_REMOVED = KILLED_WITH_US.replace(/^(.*) & /, '($1 &) ; ')

export interface CommandLine {
  readonly file: string
  readonly args?: readonly string[]
  readonly cwd?: string
  /** The whole environment; this process' own when absent. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

export interface ProcessGroup {
  readonly child: ChildProcess
  /** What stdout and stderr said so far, in the order in which it arrived. */
  log(): string
  readonly exited: Promise<ExitStatus>
  hasExited(): boolean
  /** Sends a signal to everything in the group; nothing happens when it has ended. */
  signal(name: NodeJS.Signals): void
}

/** As a shell counts it: the status, or 128 and the number of the signal that ended it. */
export type ExitStatus = number

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }

export function startGroup(command: CommandLine): ProcessGroup {
  const child = spawn('bash', ['-c', STARTED_TWICE_REMOVED, 'lab', command.file, ...(command.args ?? [])], {
    cwd: command.cwd,
    env: { ...(command.env ?? process.env) },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  const chunks: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => chunks.push(text))
  }
  let ended = false
  const signal = (name: NodeJS.Signals) => {
    if (!ended && child.pid !== undefined) signalGroup(child.pid, name)
  }
  const exited = once(child, 'exit').then(([status, name]) => {
    // The first process was the reason for the others; after this the number may belong to somebody else.
    signal('SIGKILL')
    ended = true
    return (status as number | null) ?? 128 + (SIGNAL_NUMBERS[name as string] ?? 0)
  })
  return { child, log: () => chunks.join(''), exited, hasExited: () => ended, signal }
}

function signalGroup(leader: number, name: NodeJS.Signals): void {
  try {
    process.kill(-leader, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
