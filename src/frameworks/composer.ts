import type { Json } from '../core/binding.ts'

/** A package of an app. Its version has no leading v. */
export interface LockedPackage {
  readonly version: string | undefined
  readonly from: string
}

const NAME = '"name":'

/**
 * The packages of a composer.lock, without those that are only for development.
 *
 * It searches for what Composer writes in front of every version instead of parsing: the file can have a megabyte, and
 * it is read at every start.
 */
export function readLock(lock: string): readonly (readonly [name: string, locked: LockedPackage])[] {
  const packages: (readonly [string, LockedPackage])[] = []
  const development = lock.indexOf('"packages-dev":')
  const end = development === -1 ? lock.length : development
  for (let at = lock.indexOf(NAME); at !== -1 && at < end; at = lock.indexOf(NAME, at + 1)) {
    const entry = /^"name":\s*"([\w./-]+)",\s*"version":\s*"v?([\w.+#/-]{1,40})"/.exec(
      lock.slice(at, at + 300),
    )
    if (entry !== null) packages.push([entry[1] ?? '', { version: entry[2], from: 'composer.lock' }])
  }
  return packages
}

/** The version that a constraint such as `^6.4` or `7.1.*` begins with; undefined if it allows several. */
export function versionOfConstraint(constraint: Json): string | undefined {
  if (typeof constraint !== 'string') return undefined
  return /^[\^~=v]*\s*([0-9]+(?:\.[0-9]+)*)(?:\.[*x])?$/.exec(constraint.trim())?.[1]
}

/** Whether a version is lower than a limit such as `7.0`; undefined if that is unknown, as for a branch. */
export function versionIsBelow(version: string | undefined, limit: string): boolean | undefined {
  const numbers = /^[0-9]+(\.[0-9]+)*/
    .exec(version ?? '')?.[0]
    .split('.')
    .map(Number)
  if (numbers === undefined) return undefined
  const limits = limit.split('.').map(Number)
  const different = limits.findIndex((number, i) => number !== (numbers[i] ?? 0))
  return different !== -1 && (numbers[different] ?? 0) < (limits[different] ?? 0)
}
