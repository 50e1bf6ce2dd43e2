import { type FileStatus, type Host, readIfAllowed } from '../host/host.ts'

/** The master process of a php-fpm. */
export interface Master {
  readonly pid: number
  /** When it was started, in ticks since the boot: another process may get its pid. */
  readonly startedAt: string
  /** The path of its php-fpm.conf, as it was started with. */
  readonly configuration: string
}

/**
 * Finds the masters of php-fpm by their process titles.
 *
 * A title proves nothing, since a worker may choose its own. So a process counts only if it belongs to the user that
 * php-sessions runs as, or if it is `command`, the process that exec has started; if that one is a php-fpm, it alone.
 */
export function findMasters(host: Host, command?: number): readonly Master[] {
  const masters = pidsOf(host).flatMap((pid) => {
    const startedAt = startOf(host, pid)
    // In this order: reading the arguments of a process touches memory that its user may have made to block.
    if (startedAt === undefined || (pid !== command && !isOfOurUser(host, pid))) return []
    const title = /^php-fpm: master process \(([^\0]*)\)/.exec(readProcess(host, pid, 'cmdline'))
    return title === null ? [] : [{ pid, startedAt, configuration: title[1] ?? '' }]
  })
  const started = masters.filter(({ pid }) => pid === command)
  return started.length > 0 ? started : masters
}

/** All visible processes. */
export function pidsOf(host: Host): readonly number[] {
  return host
    .listDirectory('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
}

/** Whether a process is a descendant of another one, or that process itself. */
export function descendsFrom(host: Host, pid: number, ancestor: number): boolean {
  for (let at = pid; at > 1; at = parentOf(host, at)) if (at === ancestor) return true
  return ancestor === 1
}

/** The parent of a process, or the process that has adopted it; 0 if there is none. */
export function parentOf(host: Host, pid: number | 'self'): number {
  return Number(statOf(host, pid)[1] ?? 0)
}

const SIGUSR2_BIT = 1 << 11

/**
 * Makes php-fpm read its ini files again: once its workers are done, it starts itself anew and keeps its socket open.
 *
 * Sends nothing and returns false while php-fpm does not handle the signal yet, which would end it.
 */
export function reload(host: Host, master: Master): boolean {
  const caught = lastMatch(readProcess(host, master.pid, 'status'), /^SigCgt:\s*[0-9a-f]*([0-9a-f]{8})$/gm)
  if ((Number.parseInt(caught ?? '0', 16) & SIGUSR2_BIT) === 0) return false
  return isStill(host, master) && host.kill(master.pid, 'SIGUSR2')
}

/**
 * How many seconds a reload gives running requests before it ends them; 0 is php-fpm's default. Undefined if php-fpm
 * does not tell, or if it must not be asked: its program would run as our user.
 */
export function controlTimeoutSeconds(host: Host, master: Master): number | undefined {
  const program = host.realPath(`/proc/${master.pid}/exe`)
  if (program === undefined || !isPhpFpm(program) || !belongsToUs(host, program)) return undefined
  // Checked last, so that all of the above was about this process, and about no other user's.
  if (!isOfOurUser(host, master.pid) || !isStill(host, master)) return undefined
  const told = tellConfiguration(host, [program, '-y', master.configuration], 5)
  const seconds = /process_control_timeout = ([0-9]+)s/.exec(told)?.[1]
  return seconds === undefined ? undefined : Number(seconds)
}

/** Whether a path, or a word of a command, is a php-fpm by its name. */
export function isPhpFpm(path: string): boolean {
  return /(^|\/)php-fpm[0-9.]*$/.test(path)
}

/** The configuration of php-fpm as it prints it on stderr after a test; `command` starts it. */
export function tellConfiguration(host: Host, command: readonly string[], limitSeconds: number): string {
  return host.run({
    file: 'sh',
    // Its error_log is often /proc/self/fd/2. It can open that if it is a pipe, but not if it is Node's socket.
    args: ['-c', '"$@" -tt 2>&1 | cat', 'sh', ...command],
    stdin: '',
    limitSeconds,
  }).stdout
}

/** The user that php-sessions runs as, by number; undefined where /proc does not say. */
export function ourUser(host: Host): number | undefined {
  const effective = usersOf(host, 'self')[1]
  return effective === undefined ? undefined : Number(effective)
}

/** A program that has changed only some of its user numbers was started by another user. */
export function isOfOurUser(host: Host, pid: number): boolean {
  const ours = ourUser(host)
  const users = usersOf(host, pid)
  return users.length === 4 && users.every((user) => Number(user) === ours)
}

/** Whether nobody but root and our user can have put a file there: an absolute path without links. */
function belongsToUs(host: Host, path: string): boolean {
  const ours = ourUser(host)
  const isTrusted = (status: FileStatus | undefined) =>
    status !== undefined && (status.uid === 0 || status.uid === ours) && (status.mode & 0o022) === 0
  const parts = path.split('/')
  return parts.every((_, i) => isTrusted(host.statusOf(parts.slice(0, i + 1).join('/') || '/')))
}

/** Whether the pid still is that of the process that was found. */
function isStill(host: Host, { pid, startedAt }: Master): boolean {
  return startOf(host, pid) === startedAt
}

/** Its real, effective, saved and file system user. */
function usersOf(host: Host, pid: number | 'self'): readonly string[] {
  return lastMatch(readProcess(host, pid, 'status'), /^Uid:\s*([0-9\s]+?)$/gm)?.split(/\s+/) ?? []
}

/** When a process was started, in ticks since the boot; undefined if there is none. */
export function startOf(host: Host, pid: number): string | undefined {
  return statOf(host, pid)[19]
}

/** The fields of `stat` from the state on. The name before them is the process' own choice, parentheses included. */
function statOf(host: Host, pid: number | 'self'): readonly string[] {
  const stat = readProcess(host, pid, 'stat')
  return stat
    .slice(stat.lastIndexOf(')') + 1)
    .trim()
    .split(/\s+/)
}

/** The name of a process comes first in its `status`, so what the kernel says is the last. */
function lastMatch(text: string, pattern: RegExp): string | undefined {
  return [...text.matchAll(pattern)].at(-1)?.[1]
}

/** How a process was started, or the title that it has given itself. */
export function titleOf(host: Host, pid: number): string {
  return readProcess(host, pid, 'cmdline')
}

/** A file of a process; empty if the process is gone or belongs to another user. */
function readProcess(host: Host, pid: number | string, file: string): string {
  return readIfAllowed(host, `/proc/${pid}/${file}`) ?? ''
}
