/** The errors that a user can do something about, by Linux' numbers (errno.h, the same on every architecture). */
const REASONS: Readonly<Record<number, string>> = {
  1: 'operation not permitted',
  2: 'no such file or directory',
  5: 'the device has failed',
  8: 'it is not a program for this system',
  9: 'it is closed',
  13: 'permission denied',
  17: 'it already exists',
  20: 'part of the path is not a directory',
  21: 'it is a directory',
  28: 'no space left on the device',
  30: 'the file system is read-only',
  40: 'its links form a loop',
  122: 'the disk quota is used up',
}

/** The limits of a process, each with how to raise it. */
const LIMITS: Readonly<Record<number, readonly [reason: string, fix: string]>> = {
  11: ['no more processes can be started', 'raise the limit of processes (ulimit -u)'],
  12: ['no memory is left', "raise the container's limit of memory, or ulimit -v"],
  23: ['too many files are open on this machine', 'raise fs.file-max'],
  24: ['too many files are open', 'raise the limit of open files (ulimit -n)'],
  27: ['a file must not be that large', 'raise the limit of file sizes (ulimit -f)'],
}

/** Where something else than access is missing. */
const FIXES: Readonly<Record<number, string>> = {
  5: 'see whether the system log has the reason',
  9: 'leave it open, or connect it with /dev/null',
  28: 'make room there',
  30: 'write to another place',
  122: 'make room there',
}

/** Why the system refused, in words, and what helps where access is not what is missing. */
export function refusalOf(errno: number) {
  const [limit, raise] = LIMITS[errno] ?? []
  return {
    reason: limit ?? REASONS[errno] ?? `error ${errno}`,
    fix: raise ?? FIXES[errno],
    isLimit: limit !== undefined,
  }
}
