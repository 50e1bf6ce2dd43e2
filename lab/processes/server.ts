import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type CommandLine, type ExitStatus, startContained } from './contained.ts'
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
  /** How many ports it listens on, or which; it is ready when all of them take connections. */
  readonly ports: number | readonly number[]
  /** Prepares the place and gives the command; called again when a port was taken meanwhile. */
  command(place: Place): CommandLine | Promise<CommandLine>
}

export interface ServerProcess extends Place {
  readonly pid: number
  readonly exited: Promise<ExitStatus>
  log(): string
  /** Goes to all of its processes, e.g. SIGSTOP for a server that hangs. */
  kill(signal: NodeJS.Signals): void
  /** SIGTERM, after three seconds SIGKILL; then the directory is removed. */
  stop(): Promise<void>
}

const READY_SECONDS = 20
const GRACE_SECONDS = 3
const TRIES = 3

/** Starts a server on free loopback ports and waits until it takes connections. */
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
    for (const port of ports) await untilReady(port, contained.hasExited)
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

async function untilReady(port: number, hasExited: () => boolean): Promise<void> {
  const deadline = Date.now() + READY_SECONDS * 1000
  while (!hasExited()) {
    if (await accepts(port)) return
    if (Date.now() > deadline) throw new Error(`port ${port} took no connection for ${READY_SECONDS} s`)
    await sleep(25)
  }
  throw new Error('it ended, with this output:')
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

/**
 * Below the ports that the system gives to connections, a part for each of vitest's workers: a port that is free now
 * is taken by nobody else before its server is up.
 */
const FIRST_PORT = 10_000
const PARTS = 8
const PART = Math.floor((32_768 - FIRST_PORT) / PARTS)
const firstOfPart = FIRST_PORT + (Number(process.env.VITEST_POOL_ID ?? process.pid) % PARTS) * PART
let turn = Math.floor(Math.random() * PART)

/** Ports of 127.0.0.1 on which nobody listens; none comes twice in a long time. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = firstOfPart + (turn++ % PART)
    if (await isFree(port)) ports.push(port)
  }
  return ports
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
