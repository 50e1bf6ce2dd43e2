import { type Host, HostError } from './host.ts'

/** Where files go that live as long as a process: TMPDIR, or /tmp. */
export function temporaryDirectory({ env }: Host): string {
  return env.TMPDIR || '/tmp'
}

/**
 * Makes a new directory below the one for temporary files and fills it. It is gone again if that fails: the error
 * says what to do about the place.
 */
export function makeTemporary(
  host: Host,
  path: string,
  { mode, group }: { readonly mode: number; readonly group?: number | undefined },
  fill: () => void,
): void {
  let isMade = false
  try {
    host.makeNewDirectory(path, mode, group)
    isMade = true
    fill()
  } catch (error) {
    if (isMade) host.removeDirectory(path)
    throw error instanceof HostError ? new HostError(error.message, howToFix(host)) : error
  }
}

function howToFix({ env }: Host): string {
  const place = env.TMPDIR || '/tmp'
  return env.TMPDIR
    ? `make ${place} a directory that its user can write and that has room, or set TMPDIR to another one`
    : 'mount a tmpfs at /tmp, or set TMPDIR to a directory that the user of this process can write'
}
