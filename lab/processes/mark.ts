import { readdirSync, readlinkSync } from 'node:fs'

/**
 * The file descriptor by which the processes of one command know each other.
 *
 * Scripts use smaller numbers, and Node closes the first sixteen that it inherits when it starts a program.
 */
export const MARK = 99

/**
 * Finds the processes that descend from a command, by the mark that only they have inherited.
 *
 * The process group and the parent do not show this: php-fpm starts a session of its own, and orphans go to init.
 */
export function findHolders(mark: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && readMark(name) === mark)
    .map(Number)
}

/** Reads the mark of a process; undefined if it has none, has ended, or belongs to somebody else. */
export function readMark(pid: number | string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/fd/${MARK}`)
  } catch {
    return undefined
  }
}
