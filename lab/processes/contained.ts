import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { findHolders, MARK, readMark } from './mark.ts'

/**
 * Runs its arguments as a command that ends with this process, however this process ends.
 *
 * The mark is a pipe, and only this process has its other end. When this process is gone, a helper that reads the
 * pipe, under another number, kills every process that holds the mark. stdout and stderr are pipes, as in a
 * container: Node's own are sockets, which `> /dev/stderr` and php-fpm cannot open. A `cat` reads each of them and
 * ends with its last writer. No helper is a child of the command, because some servers stumble over a child that
 * they did not start.
 */
const END_WITH_THIS_PROCESS = `
( (
  exec 8<&${MARK} ${MARK}<&-
  read -r _ <&8
  # Again until none is left: a process that is about to be killed may start another one.
  found=1
  while [ $found -gt 0 ]; do
    found=0
    for held in /proc/[0-9]*/fd/${MARK}; do
      pid=\${held#/proc/}
      if [ $held -ef /proc/self/fd/8 ]; then kill -KILL \${pid%%/*}; found=1; fi
    done
    if [ $found -gt 0 ]; then sleep 0.02; fi
  done
) >/dev/null 2>&1 & )
exec > >(exec setsid --fork cat ${MARK}<&-)
wait $!
if [ "$1" = ordered ]; then exec 2>&1; else exec 2> >(exec setsid --fork cat >&2 ${MARK}<&-); wait $!; fi
shift
exec "$@"
`

export interface CommandLine {
  readonly file: string
  readonly args?: readonly string[]
  readonly cwd?: string
  /** The whole environment; that of this process when absent. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Sends stderr where stdout goes, which keeps the order between them. */
  readonly ordered?: boolean
}

/** As a shell counts it: the exit status, or 128 and the number of the signal. */
export type ExitStatus = number

/** A command and everything that it started, wherever that went. */
export interface Contained {
  readonly pid: number
  /** What was printed so far, in the order in which it arrived. */
  log(): string
  stdout(): string
  stderr(): string
  /** Settles when the command has ended, and SIGKILL has ended what it had started. */
  readonly exited: Promise<ExitStatus>
  hasExited(): boolean
  /** The command and what it has started, as far as they still run. */
  processes(): readonly number[]
  /** Sends a signal to all of `processes`. */
  signal(name: NodeJS.Signals): void
}

/** Starts a command that leaves nothing running: neither when it ends, nor when this process does. Linux only. */
export function startContained(command: CommandLine): Contained {
  const order = command.ordered === true ? 'ordered' : 'apart'
  const words = [order, command.file, ...(command.args ?? [])]
  const child = spawn('bash', ['-c', END_WITH_THIS_PROCESS, 'lab', ...words], {
    cwd: command.cwd,
    env: { ...(command.env ?? process.env) },
    detached: true, // Ctrl-C is for this process only; when it ends, the mark ends the rest
    stdio: Object.assign(Array(MARK).fill('ignore'), { 1: 'pipe', 2: 'pipe', [MARK]: 'pipe' }),
  })
  const { pid } = child
  if (pid === undefined) throw new Error(`cannot start ${command.file}`)
  // A short command may have ended by now. What it left running is killed when this process ends.
  const mark = readMark(pid)
  const processes = () => (mark === undefined ? [] : findHolders(mark))
  const otherEnd = child.stdio.at(MARK) as Socket | null | undefined
  otherEnd?.unref()

  const printed: { readonly where: 'stdout' | 'stderr'; readonly text: string }[] = []
  for (const where of ['stdout', 'stderr'] as const) {
    child[where]?.setEncoding('utf8').on('data', (text: string) => printed.push({ where, text }))
  }
  const textOf = (wanted: typeof printed) => wanted.map(({ text }) => text).join('')

  let hasExited = false
  const signal = (name: NodeJS.Signals) => {
    for (const holder of processes()) signalProcess(holder, name)
  }
  const closed = once(child, 'close')
  const exited = once(child, 'exit').then(async ([status, name]) => {
    hasExited = true
    while (processes().length > 0) {
      signal('SIGKILL')
      await sleep(5)
    }
    otherEnd?.destroy()
    await closed
    return (status as number | null) ?? 128 + constants.signals[name as NodeJS.Signals]
  })
  return {
    pid,
    log: () => textOf(printed),
    stdout: () => textOf(printed.filter(({ where }) => where === 'stdout')),
    stderr: () => textOf(printed.filter(({ where }) => where === 'stderr')),
    exited,
    hasExited: () => hasExited,
    processes,
    signal,
  }
}

function signalProcess(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
