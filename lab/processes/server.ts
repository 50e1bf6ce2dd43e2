import { setTimeout as sleep } from 'node:timers/promises'
import { type CommandLine, type Contained, type ExitStatus, startContained } from './contained.ts'
import { findListener } from './listening.ts'
import { freePorts } from './ports.ts'
import { makeScratch, removeScratch } from './scratch.ts'

/** What a server is given to live in. */
export interface Place {
  /** Its own, empty, removed when it stops. */
  readonly directory: string
  /** Free on 127.0.0.1 a moment ago. */
  readonly ports: readonly number[]
}

export interface ServerOptions {
  /** Names the scratch directory and the errors. */
  readonly name: string
  /** How many ports it listens on, or which; it is ready when it listens on all of them. */
  readonly ports: number | readonly number[]
  /** Prepares the place and gives the command; called again when another process has taken a port meanwhile. */
  command(place: Place): CommandLine | Promise<CommandLine>
}

export interface ServerProcess extends Place {
  readonly pid: number
  readonly exited: Promise<ExitStatus>
  log(): string
  /** Sends a signal to all of its processes, e.g. SIGSTOP for a server that hangs. */
  kill(signal: NodeJS.Signals): void
  /** SIGTERM, after three seconds SIGKILL; then the directory is removed. */
  stop(): Promise<void>
}

const READY_SECONDS = 20
const GRACE_SECONDS = 3
const TRIES = 3

/** Starts a server on free loopback ports and waits until it listens on them. */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  for (let left = TRIES; ; left--) {
    try {
      return await startOnce(options)
    } catch (error) {
      if (left === 1 || !/address already in use/i.test(String(error))) throw error
    }
  }
}

async function startOnce(options: ServerOptions): Promise<ServerProcess> {
  const ports = typeof options.ports === 'number' ? await freePorts(options.ports) : options.ports
  const directory = makeScratch(options.name)
  const contained = startContained({ ordered: true, ...(await options.command({ directory, ports })) })
  const stop = async () => {
    contained.signal('SIGTERM')
    contained.signal('SIGCONT')
    const grace = new AbortController()
    const late = sleep(GRACE_SECONDS * 1000, undefined, { signal: grace.signal }).then(
      () => contained.signal('SIGKILL'),
      () => {},
    )
    await contained.exited
    grace.abort()
    await late
    removeScratch(directory)
  }
  try {
    for (const port of ports) await untilItListens(contained, port)
  } catch (error) {
    await stop()
    throw new Error(`${options.name} did not start: ${(error as Error).message}\n${contained.log()}`)
  }
  return {
    directory,
    ports,
    pid: contained.pid,
    exited: contained.exited,
    log: contained.log,
    kill: contained.signal,
    stop,
  }
}

/** A connection would prove nothing: whoever listens there takes it. */
async function untilItListens({ hasExited, processes }: Contained, port: number): Promise<void> {
  const deadline = Date.now() + READY_SECONDS * 1000
  while (!hasExited()) {
    const listener = findListener(port, processes)
    if (listener === 'own') return
    if (listener === 'other')
      throw new Error(`address already in use: another process listens on port ${port}`)
    if (Date.now() > deadline) throw new Error(`it did not listen on port ${port} within ${READY_SECONDS} s`)
    await sleep(25)
  }
  throw new Error('it ended, with this output:')
}
