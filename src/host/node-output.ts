import * as fs from 'node:fs'
import { constants } from 'node:os'
import { hostError, Interrupted } from './host.ts'

/** Writes the result to standard output. */
export function writeOutput(text: string): void {
  const errno = writeAll(1, text)
  // Node ignores SIGPIPE, which ends other programs.
  if (errno === constants.errno.EPIPE) throw new Interrupted(constants.signals.SIGPIPE)
  if (errno !== 0) throw hostError('write to', 'standard output', errno)
}

/** Returns errno, or 0 when everything is written. */
export function writeAll(file: number, text: string): number {
  for (let left = Buffer.from(text); left.length > 0; )
    try {
      left = left.subarray(fs.writeSync(file, left))
    } catch (error) {
      const errno = -((error as NodeJS.ErrnoException).errno ?? 0)
      if (errno !== constants.errno.EAGAIN) return errno
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
  return 0
}
