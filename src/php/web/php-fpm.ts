import { type Host, readIfAllowed } from '../../host/host.ts'
import { readPools } from './pools.ts'

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
 * A title proves nothing, because a worker may choose its own. So a process counts only if it belongs to the user
 * that php-sessions runs as, or if it is `command`, the process that exec started. If that is a php-fpm, only that
 * counts.
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
 * Makes php-fpm read its ini files again: once its workers are done, it restarts and keeps its socket open.
 *
 * Sends nothing and returns false while php-fpm does not handle the signal yet, which would end it.
 */
export function reload(host: Host, master: Master): boolean {
  const caught = lastMatch(readProcess(host, master.pid, 'status'), /^SigCgt:\s*[0-9a-f]*([0-9a-f]{8})$/gm)
  if ((Number.parseInt(caught ?? '0', 16) & SIGUSR2_BIT) === 0) return false
  return isStill(host, master) && host.kill(master.pid, 'SIGUSR2')
}

/** How many seconds a reload gives running requests before it ends them; 0 is php-fpm's default. */
export function controlTimeoutSeconds(host: Host, master: Master): number | undefined {
  // Checked first: the path belongs to a process of our own user.
  if (!isOfOurUser(host, master.pid) || !isStill(host, master)) return undefined
  const { configuration } = master
  const lines = readPools(host, [host.realPath(`/proc/${master.pid}/exe`) ?? '', '-y', configuration])
  const set = lines.findLast(({ name }) => name === 'process_control_timeout')
  return lines.length === 0 ? undefined : secondsIn(set?.value ?? '0')
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** A time as php-fpm writes it, such as `8`, `8s` or `1m`. */
function secondsIn(time: string): number {
  return Number.parseInt(time, 10) * (UNITS[time.slice(-1)] ?? 1)
}

/** Whether a path, or a word of a command, is a php-fpm by its name. */
export function isPhpFpm(path: string): boolean {
  return /(^|\/)php-fpm[0-9.]*$/.test(path)
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

/** Whether the pid still belongs to the same process. */
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

/** The fields of `stat` from the state on. A process chooses the name before them, even with parentheses. */
function statOf(host: Host, pid: number | 'self'): readonly string[] {
  const stat = readProcess(host, pid, 'stat')
  return stat
    .slice(stat.lastIndexOf(')') + 1)
    .trim()
    .split(/\s+/)
}

/** The name of a process comes first in its `status`, so the kernel's own line is the last. */
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
