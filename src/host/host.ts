/**
 * The outside world as the tool sees it, reached through nothing else.
 *
 * Two implementations: `quickjs.ts` for the executable, `node.ts` for the npm package and the tests.
 * Both give the same bytes for the same input; test/e2e/hosts.test.ts holds them to it.
 */
export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The text of a UTF-8 file; undefined where there is none. Throws `HostError` when it cannot be read. */
  readFile(path: string): string | undefined
  /** The bytes of a file, one character (0 to 255) each: for files whose encoding is not ours to judge. */
  readBytes(path: string): string | undefined
  /**
   * Writes UTF-8 text so that a reader, or a crash at any moment, meets the old file or the new one. It belongs to the
   * user with the number `owner`, where that is given; only root can do so.
   */
  writeFile(path: string, text: string, mode: number, owner?: number): void
  /** The same for what `readBytes` gave. */
  writeBytes(path: string, bytes: string, mode: number): void
  /** Removes a file; no complaint where there is none. */
  removeFile(path: string): void
  /** Makes a directory and the missing ones above it; one that exists keeps its mode. */
  makeDirectory(path: string, mode: number): void
  /** Makes one that must not have been there, below one that is: what somebody has planted is not used. */
  makeNewDirectory(path: string, mode: number): void
  /** Removes a directory with all that is in it; no complaint where there is none. */
  removeDirectory(path: string): void
  /** The names in a directory in byte order, without `.` and `..`; empty where there is none. */
  listDirectory(path: string): readonly string[]
  isDirectory(path: string): boolean
  /** The absolute path without symbolic links; undefined where there is nothing. */
  realPath(path: string): string | undefined
  /** A word that no other process makes, for names in directories that many share. */
  uniqueWord(): string
  /** Runs a program to its end, or kills it when the time is over. */
  run(command: Command): CommandResult
  /** From now on the signals that `supervise` forwards wait for it, so that we can tidy up in any case. */
  holdSignals(): void
  /**
   * Runs the command, the last words of our own command line, with more in the environment, and nothing between it
   * and our stdin, stdout and stderr; forwards signals. Gives its exit status as a shell counts it, or minus errno
   * where it cannot be run. The executable also reaps orphans, which fall to it as PID 1, and asks php-fpm by SIGQUIT
   * where SIGTERM has come, so that requests are finished.
   *
   * With `watcher`, arguments of our own, this program runs beside the command, and again when it has died.
   */
  supervise(
    command: readonly string[],
    env: Readonly<Record<string, string>>,
    watcher?: readonly string[],
  ): number | Promise<number>
  /** Sends a signal; whether there was somebody who could be sent one. */
  kill(pid: number, signal: 'SIGUSR2'): boolean
  sleep(seconds: number): void
  /** Seconds since some moment, for what is due later. */
  now(): number
  /** stdout: the answer. */
  out(text: string): void
  /** stderr: the talk. */
  err(text: string): void
  /** Whether a person reads stdout. */
  isTerminal(): boolean
}

/** A program to run. Its output may have 60 KB; it inherits the environment and our stderr goes to nobody. */
export interface Command {
  /** A path, or a name that is looked for in PATH. */
  readonly file: string
  readonly args: readonly string[]
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>
  /** At most 60 KB, as it must fit into a pipe. */
  readonly stdin: string
  readonly limitSeconds: number
}

export interface CommandResult {
  /** As a shell counts it: 127 where there is no such program, 137 where the time was over. */
  readonly status: number
  readonly stdout: string
}

/** A file or directory that refused: `message` says which, what was tried and why, in one line. */
export class HostError extends Error {
  override readonly name = 'HostError'
}

/** The errors that a user can do something about, in Linux' numbers (errno.h, the same on every architecture). */
const REASONS: Readonly<Record<number, string>> = {
  1: 'operation not permitted',
  2: 'no such file or directory',
  8: 'it is no program that this system can run',
  13: 'permission denied',
  17: 'it exists already',
  20: 'a part of the path is not a directory',
  21: 'it is a directory',
  28: 'no space left on the device',
  30: 'the file system is read-only',
  24: 'too many files are open',
  122: 'the disk quota is used up',
}

/** Says in words why the system refused; `errno` is positive. */
export function hostError(what: string, path: string, errno: number): HostError {
  return new HostError(`cannot ${what} ${path}: ${REASONS[errno] ?? `error ${errno}`}`)
}
