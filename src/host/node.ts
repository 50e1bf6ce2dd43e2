import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import * as fs from 'node:fs'
import { constants } from 'node:os'
import { isatty } from 'node:tty'
import {
  type FileStatus,
  type Host,
  HostError,
  hostError,
  LIMIT_BYTES,
  notRegular,
  tooLarge,
} from './host.ts'
import { findFiles, readFiles } from './node-files.ts'
import { writeAll, writeOutput } from './node-output.ts'

/** The Node host: for the npm package, the tests and the benchmarks. */
export const nodeHost: Host = {
  env: process.env,
  readFile: (path) => read(path, 'utf8'),
  readBytes: (path) => read(path, 'latin1'),
  writeFile: (path, text, mode, group) => writeAtomically(path, Buffer.from(text, 'utf8'), mode, group),
  writeBytes: (path, bytes, mode) => writeAtomically(path, Buffer.from(bytes, 'latin1'), mode),
  removeFile: (path) => orHostError('remove', path, () => orMissing(() => fs.unlinkSync(path))),
  makeDirectory: (path, mode) =>
    orHostError('make the directory', path, () => void fs.mkdirSync(path, { recursive: true, mode })),
  makeNewDirectory: (path, mode, group = KEEP) =>
    orHostError('make the directory', path, () => {
      fs.mkdirSync(path, mode)
      fs.chownSync(path, KEEP, group)
      fs.chmodSync(path, mode)
    }),
  removeDirectory: (path) =>
    orHostError('remove', path, () => fs.rmSync(path, { recursive: true, force: true })),
  listDirectory: (path) =>
    orHostError('list', path, () => orMissing(() => fs.readdirSync(path).sort()) ?? []),
  readFiles: (path) => readFiles(nodeHost, path),
  findFiles,
  isDirectory: (path) =>
    orHostError('read', path, () => orMissing(() => fs.statSync(path).isDirectory()) ?? false),
  statusOf,
  realPath: (path) => orHostError('read', path, () => orMissing(() => fs.realpathSync(path))),
  uniqueWord,
  run: ({ file, args, env, stdin, limitSeconds, keepsStderr = false }) => {
    const { status, signal, stdout } = spawnSync(file, args, {
      env: { ...process.env, ...env },
      input: stdin,
      stdio: ['pipe', 'pipe', keepsStderr ? 'inherit' : 'ignore'],
      // Node refuses a fraction.
      timeout: Math.ceil(limitSeconds * 1000),
      maxBuffer: LIMIT_BYTES,
      killSignal: 'SIGKILL',
      encoding: 'utf8',
    })
    return {
      status: signal === null ? (status ?? 127) : 128 + constants.signals[signal],
      stdout: stdout ?? '',
    }
  },
  holdSignals: () => {
    // Handlers run only between turns of the event loop, and the command is running before the first turn ends.
    for (const signal of isatty(0) ? FORWARDED : [...FORWARDED, ...FROM_TERMINAL])
      process.on(signal, () => supervised?.kill(translateSignal(supervised, signal)))
    for (const signal of isatty(0) ? FROM_TERMINAL : []) process.on(signal, () => {})
  },
  supervise,
  kill: (pid, signal) => {
    try {
      return process.kill(pid, signal)
    } catch {
      return false
    }
  },
  sleep: (seconds) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1000),
  now: () => Date.now() / 1000,
  out: writeOutput,
  // If stderr refuses, there is no place for a message, and the app must start nevertheless.
  err: (text) => void writeAll(2, text),
  isTerminal: () => isatty(1),
  ask: (question) => {
    if (!isatty(0)) return undefined
    writeAll(2, question)
    const line = Buffer.alloc(LINE_BYTES)
    return line.toString('utf8', 0, fs.readSync(0, line)).trim()
  },
}

/** A terminal gives one line at a time, of at most this many bytes. */
const LINE_BYTES = 4096

const FORWARDED = ['SIGHUP', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'] as const
/** A terminal sends these to the whole process group, so they reach the command without help. */
const FROM_TERMINAL = ['SIGINT', 'SIGQUIT', 'SIGWINCH'] as const
let supervised: ChildProcess | undefined

/** See `send_signal` in native/processes.c. */
function translateSignal({ pid }: ChildProcess, signal: NodeJS.Signals): NodeJS.Signals {
  const title = read(`/proc/${pid}/cmdline`, 'latin1') ?? ''
  return signal === 'SIGTERM' && title.startsWith('php-fpm: master process') ? 'SIGQUIT' : signal
}

async function supervise(
  [file = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
  watcher?: readonly string[],
  look?: () => void,
) {
  const options = { env: { ...process.env, ...env }, stdio: 'inherit' } as const
  let stopWatcher = () => {}
  const stopLooking = look === undefined ? () => {} : repeat(look, 1)
  try {
    supervised = spawn(file, args, options)
    const exited = once(supervised, 'exit')
    const pid = String(supervised.pid)
    if (supervised.pid !== undefined && watcher !== undefined)
      stopWatcher = keepRunning(() =>
        spawn(process.execPath, [process.argv[1] ?? '', ...watcher, '--command', pid], {
          ...options,
          detached: true,
        }),
      )
    const [status, signal] = await exited
    return status ?? 128 + constants.signals[signal as NodeJS.Signals]
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException
    if (errno === undefined) throw error
    return errno
  } finally {
    stopWatcher()
    stopLooking()
  }
}

/** Calls a function after a pause that doubles each time, up to a minute; returns a function that ends this. */
function repeat(look: () => void, seconds: number): () => void {
  let pause = seconds
  let timer = setTimeout(function again() {
    look()
    pause = Math.min(2 * pause, 60)
    timer = setTimeout(again, pause * 1000)
  }, pause * 1000)
  return () => clearTimeout(timer)
}

/** Restarts a process a second after it dies; returns a function that ends this. */
function keepRunning(start: () => ChildProcess): () => void {
  let timer: NodeJS.Timeout | undefined
  let child: ChildProcess
  const run = () => {
    child = start()
    child.once('exit', () => {
      timer = setTimeout(run, 1000)
    })
  }
  run()
  return () => {
    child.removeAllListeners('exit')
    child.kill('SIGKILL')
    clearTimeout(timer)
  }
}

function uniqueWord(): string {
  return `${process.pid}-${randomBytes(6).toString('hex')}`
}

/** The -1 of fchown(2); Node accepts only this number. */
const KEEP = 2 ** 32 - 1

function read(path: string, encoding: 'utf8' | 'latin1'): string | undefined {
  return orHostError('read', path, () =>
    orMissing(() => {
      const kind = fs.statSync(path)
      if (!kind.isFile() && !kind.isDirectory()) throw notRegular(path)
      // If the path has become a FIFO by now, this does not wait for a writer.
      const file = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
      try {
        return readToLimit(file, path).toString(encoding)
      } finally {
        fs.closeSync(file)
      }
    }),
  )
}

/** Reads to the end, since files below /proc claim to be empty and others may grow. */
function readToLimit(file: number, path: string): Buffer {
  const chunks: Buffer[] = []
  for (let size = 0; size <= LIMIT_BYTES; ) {
    const chunk = Buffer.alloc(1 << 16)
    const count = fs.readSync(file, chunk)
    if (count === 0) return Buffer.concat(chunks)
    chunks.push(chunk.subarray(0, count))
    size += count
  }
  throw tooLarge(path)
}

function statusOf(path: string): FileStatus | undefined {
  try {
    const status = fs.lstatSync(path)
    return {
      isFile: status.isFile(),
      isDirectory: status.isDirectory(),
      mode: status.mode & 0o7777,
      uid: status.uid,
      device: status.dev,
    }
  } catch {
    return undefined
  }
}

function writeAtomically(path: string, bytes: Buffer, mode: number, group = KEEP): void {
  orHostError('write', path, () => {
    const temporary = `${path}.${uniqueWord()}.tmp`
    const file = fs.openSync(temporary, 'wx', 0o600)
    try {
      fs.writeFileSync(file, bytes)
      fs.fchownSync(file, KEEP, group)
      fs.fchmodSync(file, mode)
      fs.closeSync(file)
      fs.renameSync(temporary, path)
    } catch (error) {
      fs.rmSync(temporary, { force: true })
      throw error
    }
  })
}

/** Undefined if the path, or a directory in it, does not exist. */
function orMissing<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

function orHostError<T>(what: string, path: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException
    if (error instanceof HostError || errno === undefined) throw error
    throw hostError(what, path, -errno)
  }
}
