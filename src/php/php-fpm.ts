import type { Host } from '../host/host.ts'

/** A php-fpm that takes requests. */
export interface Master {
  readonly pid: number
  /** Its php-fpm.conf, as it was told. */
  readonly configuration: string
}

/** Finds the masters of php-fpm by the title that each gives itself, among all processes that we can see. */
export function findMasters(host: Host): readonly Master[] {
  return host
    .listDirectory('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .flatMap((pid) => {
      const title = /^php-fpm: master process \((.*)\)/.exec(readProcess(host, pid, 'cmdline'))
      return title === null ? [] : [{ pid: Number(pid), configuration: title[1] ?? '' }]
    })
}

/** Whether a process was started by another, or by one that this has started. */
export function descendsFrom(host: Host, pid: number, ancestor: number): boolean {
  for (let at = pid; at > 1; at = parentOf(host, at)) if (at === ancestor) return true
  return ancestor === 1
}

/** The process that has started this one, or took it over; 0 for none. */
export function parentOf(host: Host, pid: number | 'self'): number {
  return Number(/\) \S+ ([0-9]+)/.exec(readProcess(host, pid, 'stat'))?.[1] ?? 0)
}

const SIGUSR2_BIT = 1 << 11

/**
 * Makes php-fpm read its ini files again: it starts itself anew behind its open socket, when its workers are done.
 *
 * False, and nothing is sent, before it is ready for the signal, which would end it.
 */
export function reload(host: Host, { pid }: Master): boolean {
  const caught = /^SigCgt:\s*[0-9a-f]*([0-9a-f]{8})$/m.exec(readProcess(host, pid, 'status'))?.[1] ?? '0'
  return (Number.parseInt(caught, 16) & SIGUSR2_BIT) !== 0 && host.kill(pid, 'SIGUSR2')
}

/**
 * How many seconds it gives running requests at a reload, before it ends them; 0 is its default. Undefined where it
 * does not say.
 */
export function controlTimeoutSeconds(host: Host, { pid, configuration }: Master): number | undefined {
  const program = host.realPath(`/proc/${pid}/exe`)
  if (program === undefined) return undefined
  const told = tellConfiguration(host, [program, '-y', configuration], 5)
  const seconds = /process_control_timeout = ([0-9]+)s/.exec(told)?.[1]
  return seconds === undefined ? undefined : Number(seconds)
}

/** What php-fpm, started by these words, says is in its configuration: it tests that and prints it, on stderr. */
export function tellConfiguration(host: Host, command: readonly string[], limitSeconds: number): string {
  return host.run({
    file: 'sh',
    // Its error_log is often /proc/self/fd/2, which can be opened where it is a pipe, not where it is Node's socket.
    args: ['-c', '"$@" -tt 2>&1 | cat', 'sh', ...command],
    stdin: '',
    limitSeconds,
  }).stdout
}

/** Empty where the process is gone, or nobody else's business. */
function readProcess(host: Host, pid: number | string, file: string): string {
  try {
    return host.readBytes(`/proc/${pid}/${file}`) ?? ''
  } catch {
    return ''
  }
}
