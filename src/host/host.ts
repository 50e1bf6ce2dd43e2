import { refusalOf } from './refusal.ts'

/**
 * The outside world: php-sessions reads, writes and runs everything through a host.
 *
 * There are two: `quickjs.ts` for the executable, `node.ts` for the npm package and the tests. Both give the same
 * bytes for the same input, as test/e2e/hosts.test.ts checks.
 */
export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>
  /**
   * The text of a UTF-8 file; undefined if there is no file. Throws `HostError` if it cannot be read, is not a regular
   * file, which might never end, or has more than `LIMIT_BYTES`.
   */
  readFile(path: string): string | undefined
  /**
   * The bytes of a file, one character (0 to 255) each: for files whose encoding php-sessions must not change. The
   * same limits apply.
   */
  readBytes(path: string): string | undefined
  /**
   * Writes UTF-8 text atomically: a reader, even after a crash, finds the old file or the new one. It has exactly this
   * mode, and is of our user; `group` is the number of the group that may use it, too.
   */
  writeFile(path: string, text: string, mode: number, group?: number): void
  /** Writes bytes from `readBytes`, atomically too. */
  writeBytes(path: string, bytes: string, mode: number): void
  /** Removes a file, if there is one. */
  removeFile(path: string): void
  /** Makes a directory and those above it; an existing directory keeps its mode. */
  makeDirectory(path: string, mode: number): void
  /**
   * Makes a directory with exactly this mode, and throws if it is already there, since somebody may have planted it.
   * `group` is the number of the group that may use it, too.
   */
  makeNewDirectory(path: string, mode: number, group?: number): void
  /** Removes a directory with everything in it, if there is one. */
  removeDirectory(path: string): void
  /** The names in a directory in byte order, without `.` and `..`; empty if there is no directory. */
  listDirectory(path: string): readonly string[]
  /**
   * What is in a directory, in byte order of the names; empty if there is no directory. All files together may have
   * `DIRECTORY_BYTES`.
   */
  readFiles(path: string): DirectoryFiles
  /**
   * The paths of the regular files below these directories that a search wants, in no order. What does not exist or is out
   * of reach is left out, and so is what would take longer than `FIND_SECONDS`. No program is started for it.
   */
  findFiles(directories: readonly string[], search: FileSearch): readonly string[]
  isDirectory(path: string): boolean
  /**
   * The system's information about a path itself, which may be a link; undefined if it does not exist or is out of
   * reach.
   */
  statusOf(path: string): FileStatus | undefined
  /** The absolute path without symbolic links; undefined if the path does not exist. */
  realPath(path: string): string | undefined
  /** A word that no other process generates, for names in shared directories. */
  uniqueWord(): string
  /**
   * Runs a program to its end, or kills it when its time is up or it has printed more than `LIMIT_BYTES`. Throws
   * `Interrupted` when php-sessions is asked to end meanwhile; under Node, the program ends first.
   */
  run(program: Program): ProgramResult
  /** Holds signals until `supervise` forwards them, so that php-sessions can always clean up. */
  holdSignals(): void
  /**
   * Runs the command, which is the end of php-sessions' own command line, with additions to the environment and with
   * the same stdin, stdout and stderr; forwards signals. Gives its exit status as a shell does, or minus errno if it
   * cannot be run. The executable also reaps orphans, which it inherits as PID 1. A SIGTERM reaches php-fpm as
   * SIGQUIT, so that it finishes its requests.
   *
   * With `watcher`, php-sessions also runs beside the command, with these arguments and `--command` with the pid of the
   * command, and is restarted when it dies. `look` is called while the command runs: after a second, after two more,
   * four, and so on, at last every minute.
   */
  supervise(
    command: readonly string[],
    env: Readonly<Record<string, string>>,
    watcher?: readonly string[],
    look?: () => void,
  ): number | Promise<number>
  /** Sends a signal; false if the process does not exist or may not be signalled. */
  kill(pid: number, signal: 'SIGUSR2'): boolean
  sleep(seconds: number): void
  /** The time in seconds since some moment, for measuring durations. */
  now(): number
  /** Writes the result to stdout. */
  out(text: string): void
  /** Writes messages for people to stderr. */
  err(text: string): void
  /** Whether stdout is a terminal. */
  isTerminal(): boolean
  /** Asks for a line on stderr; undefined where stdin is not a terminal, so that nobody can answer. */
  ask(question: string): string | undefined
  /** Opens the playground with its arguments and flags; absent in the executable. */
  readonly playground?: (args: readonly string[], flags: Readonly<Record<string, string>>) => Promise<number>
}

/** The system's information about a file. */
export interface FileStatus {
  readonly isFile: boolean
  readonly isDirectory: boolean
  /** The permissions, e.g. 0o644. */
  readonly mode: number
  /** The user whose file it is, by number. */
  readonly uid: number
  /** The number of the file system that it is on. */
  readonly device: number
}

/** What is in a directory. */
export interface DirectoryFiles {
  /** The files by name, as `readFile` reads them, without line breaks at the end: an editor or `echo` has added those. */
  readonly texts: Readonly<Record<string, string>>
  /** Why other files cannot be read; absent where there are none. */
  readonly errors?: readonly HostError[]
  /** The names of directories, and of everything that is hidden; absent where there are none. */
  readonly others?: readonly string[]
}

/** Which files are wanted. */
export interface FileSearch {
  /** Their names; with a star in front, what their names end in. */
  readonly names: readonly string[]
  /** The directories that are not entered, written in the same way. */
  readonly without: readonly string[]
  /** How deep they may be; 1 for those directly in the given directories. */
  readonly deepest: number
  /** Whether links below the given directories are followed, but not in circles. */
  readonly followsLinks: boolean
  /** The size in bytes above which a file does not count. */
  readonly largest: number
  /** Words of letters and underlines of which one, in upper or lower case, is in the file; empty where its text does not matter. */
  readonly words: readonly string[]
}

/** How long a search may take. */
export const FIND_SECONDS = 5

/** Nothing that php-sessions reads is larger: certificate bundles and lists of packages have less than a fourth of it. */
export const LIMIT_BYTES = 4 << 20

/** As much as a secret of Kubernetes may have. */
export const DIRECTORY_BYTES = 1 << 20

/** A program to run. It inherits the environment. */
export interface Program {
  /** A path, or a name to look up in PATH. */
  readonly file: string
  readonly args: readonly string[]
  /** Additions to the environment. */
  readonly env?: Readonly<Record<string, string>>
  readonly stdin: string
  readonly limitSeconds: number
  /** Whether its stderr, for example progress, is shown to the user; otherwise it is dropped. */
  readonly keepsStderr?: boolean
}

export interface ProgramResult {
  /** As a shell reports it: 127 if there is no such program, 137 if its time was up or it has printed too much. */
  readonly status: number
  readonly stdout: string
}

/** The system refused access to a file or directory; `message` says in one line what was tried, where, and why. */
export class HostError extends Error {
  override readonly name = 'HostError'
  /** The fix, if known. */
  readonly fix: string | undefined
  /** Whether this process has reached a limit, so that another place would not help. */
  readonly isLimit: boolean

  constructor(message: string, fix?: string, isLimit = false) {
    super(message)
    this.fix = fix
    this.isLimit = isLimit
  }
}

/** A signal asks php-sessions to end: it undoes unfinished work on the way out. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  /** As a shell reports it. */
  readonly status: number

  constructor(signal: number) {
    super(`signal ${signal}`)
    this.status = 128 + signal
  }
}

/** Says in words why the system refused; `errno` is positive. */
export function hostError(what: string, path: string, errno: number): HostError {
  const { reason, fix, isLimit } = refusalOf(errno)
  return new HostError(`cannot ${what} ${path}: ${reason}`, fix, isLimit)
}

/** The error for a device, a socket or a FIFO instead of a file. */
export function notRegular(path: string): HostError {
  return new HostError(`cannot read ${path}: it is not a regular file`)
}

/** The error for a file in a directory whose files have more than `DIRECTORY_BYTES` together. */
export function tooLargeTogether(path: string): HostError {
  return new HostError(
    `cannot read ${path}: the files of its directory have more than ${DIRECTORY_BYTES >> 20} MB`,
  )
}

/** The error for a file that has more than `LIMIT_BYTES`. */
export function tooLarge(path: string): HostError {
  return new HostError(`cannot read ${path}: it is larger than ${LIMIT_BYTES >> 20} MB`)
}

/** The bytes of a file; undefined if there is no file, or if this process must not read it. */
export function readIfAllowed(host: Host, path: string): string | undefined {
  return ifAllowed(() => host.readBytes(path))
}

/** The names in a directory; empty if there is no directory, or if this process must not read it. */
export function listIfAllowed(host: Host, path: string): readonly string[] {
  return ifAllowed(() => host.listDirectory(path)) ?? []
}

/** Whether there is a directory that this process can reach. */
export function isDirectoryIfAllowed(host: Host, path: string): boolean {
  return ifAllowed(() => host.isDirectory(path)) === true
}

/** Only the system's refusal counts as a missing file; any other error is a fault of php-sessions. */
function ifAllowed<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof HostError) return undefined
    throw error
  }
}
