/** The command line, starting with the program's name. */
declare const scriptArgs: readonly string[]

/** The part of QuickJS' module `std` that the executable uses. */
declare module 'qjs:std' {
  export function exit(status: number): never
  export function getenviron(): Record<string, string>
  export function setenv(name: string, value: string): void
}

/**
 * The part of QuickJS' module `os` that the executable uses; the prefix distinguishes it from Node's.
 * Functions that return one number return minus errno if they fail.
 */
declare module 'qjs:os' {
  export const O_RDONLY: number
  export const O_WRONLY: number
  export const O_CREAT: number
  export const O_EXCL: number
  export const S_IFMT: number
  export const S_IFDIR: number
  export const S_IFREG: number
  export function open(path: string, flags: number, mode?: number): number
  export function close(file: number): number
  export function read(file: number, buffer: ArrayBuffer, offset: number, length: number): number
  export function write(file: number, buffer: ArrayBuffer, offset: number, length: number): number
  export function remove(path: string): number
  export function rename(from: string, to: string): number
  export function mkdir(path: string, mode: number): number
  export function readdir(path: string): [names: string[], errno: number]
  export interface Status {
    readonly mode: number
    readonly size: number
    readonly uid: number
    readonly dev: number
  }
  export function stat(path: string): [status: Status | null, errno: number]
  export function lstat(path: string): [status: Status | null, errno: number]
  export function realpath(path: string): [path: string, errno: number]
  export function getpid(): number
  export function isatty(file: number): boolean
  export function kill(pid: number, signal: number): number
  export function sleep(milliseconds: number): number
}

/** Implemented in native/supervise.c. */
declare module 'qjs:supervise' {
  export function holdSignals(): void
  /**
   * Runs the last `count` words of the command line as a command, and beside it this program with the arguments in
   * `watcher`. Calls `look` from time to time. Returns the status of the command as a shell does, or minus errno.
   */
  export function supervise(
    count: number,
    look: (() => void) | undefined,
    ...watcher: readonly string[]
  ): number
}

/** Implemented in native/run.c. */
declare module 'qjs:run' {
  /**
   * Runs a program with `NAME=value` variables, feeds it `input` and returns what it prints, at most `limit` bytes.
   * The status is as a shell has it, or minus the signal that asks php-sessions to end. Without an output it is minus
   * errno: no program could be started. Its stderr is dropped or kept.
   */
  export function run(
    words: readonly string[],
    variables: readonly string[],
    input: ArrayBuffer,
    seconds: number,
    limit: number,
    keepsStderr: boolean,
  ): [status: number, output: ArrayBuffer | null]
}

/** Implemented in native/access.c. */
declare module 'qjs:access' {
  /** Sets the mode of an open file whatever the umask says, and its group, by number, unless that is -1. */
  export function set(file: number, mode: number, gid: number): number
}

/** Implemented in native/files.c, native/directories.c and native/find.c. */
declare module 'qjs:files' {
  /** The bytes of a file, or the number of an error, and whether all bytes are ASCII. */
  type FileRead = readonly [bytes: string | number, isAscii: boolean]
  export function read(path: string, limit: number): FileRead
  /**
   * What is in a directory by name, or the number of an error: the bytes of files, without line breaks at the end; the names
   * of directories and of what is hidden; the names of files that are not ASCII; the names and errors of unreadable files.
   */
  export function readAll(path: string, limit: number): FilesRead | number
  /** The lists are absent where they would be empty. */
  interface FilesRead {
    readonly texts: Record<string, string>
    readonly others?: readonly string[]
    readonly encoded?: readonly string[]
    readonly failed?: readonly { readonly name: string; readonly error: number }[]
  }
  /** `FileSearch`, and how long it may take. */
  export function find(
    directories: readonly string[],
    names: readonly string[],
    without: readonly string[],
    deepest: number,
    followsLinks: boolean,
    largest: number,
    words: readonly string[],
    seconds: number,
  ): readonly string[]
}
