import { isObject, parseJson } from '../core/binding.ts'
import type { Host } from '../host/host.ts'
import { type LockedPackage, readLock, versionOfConstraint } from './composer.ts'

/** A line of a file, with its number. */
export interface Line {
  readonly text: string
  readonly number: number
}

/** An app's files, each looked at only once and only when asked for. A path is relative to the app. */
export interface App {
  readonly env: Host['env']
  /** What Composer installs, by name: required directly, by others, or the app itself. */
  readonly packages: ReadonlyMap<string, LockedPackage>
  /** The path of a file or directory, in the app or its web root; the last part may have a `*`. */
  find(path: string): string | undefined
  /** The lines of a small text file that are no comments. */
  lines(path: string): readonly Line[]
}

/** Where Cloud Foundry's php_buildpack moves an app, and where others keep what the web server serves. */
const WEB_ROOTS = ['htdocs', 'public', 'web', 'docroot']
const LONGEST_FILE = 500_000
const COMMENT = /^\s*(#|\/\/|\/?\*|\||;|<!--)/

/** Opens an app. What cannot be read counts as not there: recognition is a courtesy and must not fail. */
export function openApp(host: Host, directory: string): App {
  const list = remember((path) => attempt(() => host.listDirectory(path)) ?? [])
  const read = remember((path) => attempt(() => host.readBytes(path)))
  const roots = ['', ...WEB_ROOTS.filter((name) => list(directory).includes(name)).map((name) => `${name}/`)]

  const isThere = (path: string): boolean => {
    const parts = path.split('/')
    return parts.every((part, i) => {
      const above = [directory, ...parts.slice(0, i)].join('/')
      const [start = '', end] = part.split('*')
      return end === undefined
        ? list(above).includes(part)
        : list(above).some((name) => name.startsWith(start) && name.endsWith(end))
    })
  }
  const find = (path: string) => roots.map((root) => root + path).find(isThere)
  const text = (path: string) => {
    const found = find(path)
    return found === undefined ? undefined : read(`${directory}/${found}`)
  }
  return {
    env: host.env,
    packages: readPackages(text),
    find,
    lines: remember((path) => {
      const found = text(path)
      return found === undefined || found.length > LONGEST_FILE ? [] : withoutComments(found)
    }),
  }
}

function withoutComments(text: string): readonly Line[] {
  return text
    .split('\n')
    .map((line, i) => ({ text: line, number: i + 1 }))
    .filter((line) => !COMMENT.test(line.text))
}

function readPackages(text: (path: string) => string | undefined): ReadonlyMap<string, LockedPackage> {
  const written = text('composer.json') ?? ''
  const json = written.length > LONGEST_FILE ? undefined : parseJson(written)
  const { name, require } = isObject(json) ? json : {}
  const from = 'composer.json'
  const required = Object.entries(isObject(require) ? require : {})
  return new Map<string, LockedPackage>([
    ...(typeof name === 'string' ? [[name, { version: undefined, from }] as const] : []),
    ...required.map(([key, value]) => [key, { version: versionOfConstraint(value), from }] as const),
    ...readLock(text('composer.lock') ?? ''),
  ])
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}

function remember<T>(make: (key: string) => T): (key: string) => T {
  const made = new Map<string, T>()
  return (key) => {
    const known = made.get(key)
    if (known !== undefined || made.has(key)) return known as T
    const value = make(key)
    made.set(key, value)
    return value
  }
}
