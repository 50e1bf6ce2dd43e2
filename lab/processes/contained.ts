import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { findHolders, MARK, readMark } from './mark.ts'

/**
 * Runs its arguments as a command that ends with us, however we end.
 *
 * The mark is a pipe whose other end only we have. When we are gone, by `exit` or by SIGKILL, the one that reads
 * there, under another number, kills all who hold it. stdout and stderr are pipes as in a container, for Node's
 * own are sockets, which `> /dev/stderr` and php-fpm cannot open; those who read them end with the last writer.
 * All helpers are nobody's children, because some servers wonder about a child that they did not start.
 */
const END_WITH_US = `
( (
  exec 8<&${MARK} ${MARK}<&-
  read -r _ <&8
  for held in /proc/[0-9]*/fd/${MARK}; do
    pid=\${held#/proc/}
    if [ $held -ef /proc/self/fd/8 ]; then kill -KILL \${pid%%/*}; fi
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
  /** Settles when the command has ended and with it, by SIGKILL, all that it had started. */
  readonly exited: Promise<ExitStatus>
  hasExited(): boolean
  signal(name: NodeJS.Signals): void
}

/** Starts a command so that nothing of it survives the command, nor this process. Linux only. */
export function startContained(command: CommandLine): Contained {
  const order = command.ordered === true ? 'ordered' : 'apart'
  const child = spawn('bash', ['-c', END_WITH_US, 'lab', order, command.file, ...(command.args ?? [])], {
    cwd: command.cwd,
    env: { ...(command.env ?? process.env) },
    detached: true, // Ctrl-C is for us; that we are gone the rest hears from the mark
    stdio: Object.assign(Array(MARK).fill('ignore'), { 1: 'pipe', 2: 'pipe', [MARK]: 'pipe' }),
  })
  const { pid } = child
  if (pid === undefined) throw new Error(`cannot start ${command.file}`)
  // A short command may have ended by now; what it left running, the one who reads the mark kills in the end.
  const mark = readMark(pid)
  const holders = () => (mark === undefined ? [] : findHolders(mark))
  const ourEnd = (child.stdio as unknown as readonly Socket[])[MARK]
  ourEnd?.unref()

  const printed: { readonly where: 'stdout' | 'stderr'; readonly text: string }[] = []
  for (const where of ['stdout', 'stderr'] as const) {
    child[where]?.setEncoding('utf8').on('data', (text: string) => printed.push({ where, text }))
  }
  const textOf = (wanted: typeof printed) => wanted.map(({ text }) => text).join('')

  let hasExited = false
  const signal = (name: NodeJS.Signals) => {
    for (const holder of holders()) signalProcess(holder, name)
  }
  const closed = once(child, 'close')
  const exited = once(child, 'exit').then(async ([status, name]) => {
    hasExited = true
    while (holders().length > 0) {
      signal('SIGKILL')
      await sleep(5)
    }
    ourEnd?.destroy()
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
