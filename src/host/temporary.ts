import { type Host, HostError } from './host.ts'

/** The directory for files that live as long as a process: TMPDIR, or /tmp. */
export function temporaryDirectory({ env }: Host): string {
  return env.TMPDIR || '/tmp'
}

/**
 * Makes a new directory below the one for temporary files and fills it. If that fails, the directory is removed, and
 * the error says what to do about the place.
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
    throw error instanceof HostError && !error.isLimit ? new HostError(error.message, howToFix(host)) : error
  }
}

function howToFix({ env }: Host): string {
  const place = env.TMPDIR || '/tmp'
  return env.TMPDIR
    ? `make ${place} a directory with room that its user can write, or set TMPDIR to another one`
    : 'mount a tmpfs at /tmp, or set TMPDIR to a directory that the user of this process can write'
}
