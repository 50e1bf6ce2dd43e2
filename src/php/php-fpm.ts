import type { Host } from '../host/host.ts'

/** The master process of a php-fpm. */
export interface Master {
  readonly pid: number
  /** The path of its php-fpm.conf, as it was started with. */
  readonly configuration: string
}

/** Finds the masters of php-fpm by their process titles, among all visible processes. */
export function findMasters(host: Host): readonly Master[] {
  return host
    .listDirectory('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .flatMap((pid) => {
      const title = /^php-fpm: master process \((.*)\)/.exec(readProcess(host, pid, 'cmdline'))
      return title === null ? [] : [{ pid: Number(pid), configuration: title[1] ?? '' }]
    })
}

/** Whether a process is a descendant of another one, or that process itself. */
export function descendsFrom(host: Host, pid: number, ancestor: number): boolean {
  for (let at = pid; at > 1; at = parentOf(host, at)) if (at === ancestor) return true
  return ancestor === 1
}

/** The parent of a process, or the process that has adopted it; 0 if there is none. */
export function parentOf(host: Host, pid: number | 'self'): number {
  return Number(/\) \S+ ([0-9]+)/.exec(readProcess(host, pid, 'stat'))?.[1] ?? 0)
}

const SIGUSR2_BIT = 1 << 11

/**
 * Makes php-fpm read its ini files again: once its workers are done, it starts itself anew and keeps its socket open.
 *
 * Sends nothing and returns false while php-fpm does not handle the signal yet, which would end it.
 */
export function reload(host: Host, { pid }: Master): boolean {
  const caught = /^SigCgt:\s*[0-9a-f]*([0-9a-f]{8})$/m.exec(readProcess(host, pid, 'status'))?.[1] ?? '0'
  return (Number.parseInt(caught, 16) & SIGUSR2_BIT) !== 0 && host.kill(pid, 'SIGUSR2')
}

/**
 * How many seconds a reload gives running requests before it ends them; 0 is php-fpm's default. Undefined if php-fpm
 * does not tell.
 */
export function controlTimeoutSeconds(host: Host, { pid, configuration }: Master): number | undefined {
  const program = host.realPath(`/proc/${pid}/exe`)
  if (program === undefined) return undefined
  const told = tellConfiguration(host, [program, '-y', configuration], 5)
  const seconds = /process_control_timeout = ([0-9]+)s/.exec(told)?.[1]
  return seconds === undefined ? undefined : Number(seconds)
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

/** A file of a process; empty if the process is gone or belongs to another user. */
function readProcess(host: Host, pid: number | string, file: string): string {
  try {
    return host.readBytes(`/proc/${pid}/${file}`) ?? ''
  } catch {
    return ''
  }
}
