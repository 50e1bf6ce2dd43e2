import { readdirSync, readlinkSync } from 'node:fs'

/** The file descriptor that tells the processes of one command from all others; scripts use the smaller ones. */
export const MARK = 9

/**
 * Finds who descends from a command, by what only they inherited.
 *
 * Neither the process group nor the parents tell: php-fpm makes a session of its own, and orphans go to init.
 */
export function findHolders(mark: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && readMark(name) === mark)
    .map(Number)
}

/** undefined for a process without one, that has ended, or that is not ours to look at. */
export function readMark(pid: number | string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/fd/${MARK}`)
  } catch {
    return undefined
  }
}
