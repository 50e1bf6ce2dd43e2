import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Runs its arguments as a command in a process group that ends with us, however we end.
 *
 * File descriptor 3 is a pipe whose other end only we have: when we are gone, by `exit` or by SIGKILL, the
 * one that reads there kills the group and so itself. It is started twice removed, because some servers
 * wonder about a child that they did not start.
 */
const END_WITH_US = '( (read -r _ <&3; kill -KILL 0) >/dev/null 2>&1 & ); exec "$@" 3<&-'

export interface CommandLine {
  readonly file: string
  readonly args?: readonly string[]
  readonly cwd?: string
  /** The whole environment; that of this process when absent. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** As a shell counts it: the exit status, or 128 and the number of the signal. */
export type ExitStatus = number

export interface ProcessGroup {
  readonly child: ChildProcess
  /** What was printed so far, in the order in which it arrived. */
  log(): string
  stdout(): string
  stderr(): string
  /** Settles when the command has ended and with it, by SIGKILL, all it had started in its group. */
  readonly exited: Promise<ExitStatus>
  hasExited(): boolean
  /** Reaches everything in the group; nothing happens when it has ended. */
  signal(name: NodeJS.Signals): void
}

export function startGroup(command: CommandLine): ProcessGroup {
  const child = spawn('bash', ['-c', END_WITH_US, 'lab', command.file, ...(command.args ?? [])], {
    cwd: command.cwd,
    env: { ...(command.env ?? process.env) },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  ;(child.stdio[3] as Socket).unref()
  const printed: { readonly where: 'stdout' | 'stderr'; readonly text: string }[] = []
  for (const where of ['stdout', 'stderr'] as const) {
    child[where]?.setEncoding('utf8').on('data', (text: string) => printed.push({ where, text }))
  }
  const textOf = (wanted: typeof printed) => wanted.map(({ text }) => text).join('')
  let ended = false
  const signal = (name: NodeJS.Signals) => {
    if (!ended && child.pid !== undefined) signalGroup(child.pid, name)
  }
  const closed = once(child, 'close')
  const exited = once(child, 'exit').then(async ([status, name]: [number | null, NodeJS.Signals]) => {
    signal('SIGKILL')
    ended = true // from here on the number may be another process'
    await Promise.race([closed, sleep(1000, undefined, { ref: false })])
    return status ?? 128 + constants.signals[name]
  })
  return {
    child,
    log: () => textOf(printed),
    stdout: () => textOf(printed.filter(({ where }) => where === 'stdout')),
    stderr: () => textOf(printed.filter(({ where }) => where === 'stderr')),
    exited: exited as Promise<ExitStatus>,
    hasExited: () => ended,
    signal,
  }
}

function signalGroup(leader: number, name: NodeJS.Signals): void {
  try {
    process.kill(-leader, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
