import * as access from 'qjs:access'
import { find, read, readAll } from 'qjs:files'
import * as os from 'qjs:os'
import { run } from 'qjs:run'
import * as std from 'qjs:std'
import { holdSignals, supervise } from 'qjs:supervise'
import {
  DIRECTORY_BYTES,
  type DirectoryFiles,
  FIND_SECONDS,
  type FileStatus,
  type Host,
  type HostError,
  hostError,
  Interrupted,
  LIMIT_BYTES,
  notRegular,
  type Program,
  type ProgramResult,
  tooLarge,
  tooLargeTogether,
} from './host.ts'
import { decodeUtf8, encodeUtf8 } from './utf8.ts'

// errno.h, the same on every architecture of Linux.
const ENOENT = 2
const EINTR = 4
const EAGAIN = 11
const EEXIST = 17
const ENOTDIR = 20
const EISDIR = 21
// native/files.h
const NOT_REGULAR = -1
const TOO_LARGE = -2
// signal(7), the same on every architecture except MIPS and a few others.
const SIGNALS = { SIGUSR2: 12 } as const

/** For the group of a file. */
const KEEP = -1
const STDIN = 0
const STDOUT = 1
const STDERR = 2
const CHUNK_BYTES = 16_384

/** The host of the executable. */
export const quickjsHost: Host = {
  env: std.getenviron(),
  readFile: (path) => readText(path, true),
  readBytes: (path) => readText(path, false),
  writeFile: (path, text, mode, group) => writeAtomically(path, encodeUtf8(text), mode, group),
  writeBytes: writeAtomically,
  removeFile,
  makeDirectory: (path, mode) => check('make the directory', path, makeDirectory(path, mode)),
  makeNewDirectory,
  removeDirectory,
  listDirectory,
  readFiles,
  findFiles: (directories, { names, without, deepest, followsLinks, largest, words }) =>
    find(directories, names, without, deepest, followsLinks, largest, words, FIND_SECONDS),
  isDirectory: (path) => isDirectory('read', path),
  statusOf,
  realPath: (path) => os.realpath(path)[0] || undefined,
  uniqueWord,
  run: runProgram,
  holdSignals,
  supervise: (command, env, watcher = [], look = undefined) => {
    for (const [name, value] of Object.entries(env)) std.setenv(name, value)
    return supervise(command.length, look, ...watcher)
  },
  kill: (pid, signal) => os.kill(pid, SIGNALS[signal]) === 0,
  sleep: (seconds) => void os.sleep(seconds * 1000),
  now: () => Date.now() / 1000,
  out: (text) => check('write to', 'standard output', writeAll(STDOUT, encodeUtf8(text))),
  // If stderr refuses, there is no place for a message, and the app must start nevertheless.
  err: (text) => void writeAll(STDERR, encodeUtf8(text)),
  isTerminal: () => os.isatty(STDOUT),
  ask: (question) => {
    if (!os.isatty(STDIN)) return undefined
    writeAll(STDERR, encodeUtf8(question))
    const line = new Uint8Array(CHUNK_BYTES)
    // A terminal gives one line at a time.
    const count = os.read(STDIN, line.buffer, 0, CHUNK_BYTES)
    return decodeUtf8(toBytes(line.subarray(0, Math.max(0, count)))).trim()
  },
}

function check(what: string, path: string, errno: number): void {
  if (errno !== 0) throw hostError(what, path, errno)
}

function readText(path: string, isUtf8: boolean): string | undefined {
  const [bytes, isAscii] = read(path, LIMIT_BYTES)
  if (typeof bytes === 'string') return isAscii || !isUtf8 ? bytes : decodeUtf8(bytes)
  if (isMissing(bytes)) return undefined
  throw readError(path, bytes)
}

/** The error for a number that native/files.h names. */
function readError(path: string, error: number): HostError {
  return error === NOT_REGULAR
    ? notRegular(path)
    : error === TOO_LARGE
      ? tooLarge(path)
      : hostError('read', path, error)
}

function readFiles(path: string): DirectoryFiles {
  const found = readAll(path, DIRECTORY_BYTES)
  if (typeof found === 'number') {
    if (!isMissing(found)) throw hostError('list', path, found)
    return { texts: {} }
  }
  const { texts, encoded, failed } = found
  if (encoded !== undefined) for (const name of encoded) texts[name] = decodeUtf8(texts[name] ?? '')
  if (failed === undefined) return found
  return { ...found, errors: failed.map(({ name, error }) => entryError(`${path}/${name}`, error)) }
}

function entryError(path: string, error: number): HostError {
  return error === TOO_LARGE ? tooLargeTogether(path) : readError(path, error)
}

function uniqueWord(): string {
  return `${os.getpid()}-${Math.random().toString(36).slice(2)}`
}

function writeAtomically(path: string, bytes: string, mode: number, group = KEEP): void {
  const temporary = `${path}.${uniqueWord()}.tmp`
  const file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
  if (file < 0) throw hostError('write', path, -file)
  const written = writeAll(file, bytes)
  const errno = written || -access.set(file, mode, group) || -os.close(file) || -os.rename(temporary, path)
  if (errno !== 0) os.remove(temporary)
  check('write', path, errno)
}

/** Returns errno, or 0 when everything is written. */
function writeAll(file: number, bytes: string): number {
  const { buffer } = toArray(bytes)
  let done = 0
  while (done < buffer.byteLength) {
    const count = os.write(file, buffer, done, buffer.byteLength - done)
    if (count >= 0) done += count
    else if (count === -EAGAIN) os.sleep(1)
    else if (count !== -EINTR) return -count
  }
  return 0
}

function removeFile(path: string): void {
  // remove(3) would also remove an empty directory.
  if (isDirectory('remove', path)) throw hostError('remove', path, EISDIR)
  const errno = -os.remove(path)
  if (errno !== ENOENT) check('remove', path, errno)
}

function removeDirectory(path: string): void {
  for (const entry of listDirectory(path).map((name) => `${path}/${name}`)) {
    // A link to a directory is removed; its target is not.
    if (statusOf(entry)?.isDirectory === true) removeDirectory(entry)
    else check('remove', entry, -os.remove(entry))
  }
  const errno = -os.remove(path)
  if (errno !== ENOENT) check('remove', path, errno)
}

function makeNewDirectory(path: string, mode: number, group = KEEP): void {
  check('make the directory', path, -os.mkdir(path, mode))
  const directory = os.open(path, os.O_RDONLY)
  const errno = directory < 0 ? -directory : -access.set(directory, mode, group)
  os.close(directory)
  check('make the directory', path, errno)
}

/** Returns errno, or 0 when the directory exists. */
function makeDirectory(path: string, mode: number): number {
  const errno = makeOne(path, mode)
  const parent = path.replace(/\/*[^/]+\/*$/, '')
  if (errno !== ENOENT || parent === '' || parent === path) return errno
  return makeDirectory(parent, mode) || makeOne(path, mode)
}

function makeOne(path: string, mode: number): number {
  const errno = -os.mkdir(path, mode)
  return errno === EEXIST && isDirectory('make the directory', path) ? 0 : errno
}

function listDirectory(path: string): readonly string[] {
  if (isMissing(os.stat(path)[1])) return []
  const [names, errno] = os.readdir(path)
  check('list', path, errno)
  return names.filter((name) => name !== '.' && name !== '..').sort()
}

function isDirectory(what: string, path: string): boolean {
  const [status, errno] = os.stat(path)
  if (isMissing(errno)) return false
  check(what, path, errno)
  return status !== null && isKind(status.mode, os.S_IFDIR)
}

function isKind(mode: number, kind: number): boolean {
  return (mode & os.S_IFMT) === kind
}

function statusOf(path: string): FileStatus | undefined {
  const [status] = os.lstat(path)
  if (status === null) return undefined
  const { mode, uid, dev } = status
  return {
    isFile: isKind(mode, os.S_IFREG),
    isDirectory: isKind(mode, os.S_IFDIR),
    mode: mode & 0o7777,
    uid,
    device: dev,
  }
}

/** If part of the path is a file, nothing below it exists either. */
function isMissing(errno: number): boolean {
  return errno === ENOENT || errno === ENOTDIR
}

function runProgram(program: Program): ProgramResult {
  const { file, args, env, stdin, limitSeconds, keepsStderr = false } = program
  const variables = Object.entries({ ...std.getenviron(), ...env }).map(([name, value]) => `${name}=${value}`)
  const input = toArray(encodeUtf8(stdin)).buffer
  const [status, output] = run([file, ...args], variables, input, limitSeconds, LIMIT_BYTES, keepsStderr)
  if (output === null) throw hostError('run', file, -status)
  if (status < 0) throw new Interrupted(-status)
  return { status, stdout: decodeUtf8(toBytes(new Uint8Array(output))) }
}

/** A plain loop: a certificate bundle is long, and `Uint8Array.from` would make a string of every byte. */
function toArray(bytes: string): Uint8Array<ArrayBuffer> {
  const array = new Uint8Array(bytes.length)
  for (let i = 0; i < bytes.length; i++) array[i] = bytes.charCodeAt(i)
  return array
}

/** One character per byte, in parts, because a function takes only so many arguments. */
function toBytes(array: Uint8Array): string {
  let bytes = ''
  for (let at = 0; at < array.length; at += CHUNK_BYTES)
    bytes += String.fromCharCode.apply(null, array.subarray(at, at + CHUNK_BYTES) as unknown as number[])
  return bytes
}
