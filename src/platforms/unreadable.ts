import type { Finding } from '../core/finding.ts'
import { HostError } from '../host/host.ts'

/** What was read, or why it could not be: the message names the file. */
export type Attempt<T> = { readonly value: T; readonly why?: undefined } | { readonly why: string }

/** Reads something that may be unreadable, so that one bad file does not hide the other bindings. */
export function attempt<T>(read: (path: string) => T, path: string): Attempt<T> {
  try {
    return { value: read(path) }
  } catch (error) {
    if (error instanceof HostError) return { why: error.message }
    throw error
  }
}

/** What helps where a file cannot be read. */
export const READABLE =
  'look at it with ls -lL: it must be a regular file that the user of php-sessions may read, and not too large'

/** A warning, since another binding may be the one that counts; `faultOf` makes it an error for this one. */
export function unreadable(why: string, from: string): Finding {
  return {
    id: 'binding.file',
    level: 'warn',
    title: why,
    from,
    fix: `${READABLE}; other bindings are not affected`,
  }
}

/** What makes a binding unusable if it is chosen. */
export function faultOf(finding: Finding): Finding {
  return { ...finding, level: 'error', title: `the binding cannot be used: ${finding.title}` }
}
