import { isObject, parseJson } from '../core/binding.ts'
import { words } from '../core/text.ts'
import { type Host, listIfAllowed, readIfAllowed } from '../host/host.ts'
import { type LockedPackage, readLock, versionOfConstraint } from './composer.ts'

/** A line of a file, with its number. */
export interface AppLine {
  readonly text: string
  readonly number: number
}

/** An app's files, each read only once and only when needed. Paths are relative to the app. */
export interface App {
  readonly env: Host['env']
  /** What Composer installs, by name: the app itself and all its packages. */
  readonly packages: ReadonlyMap<string, LockedPackage>
  /** The path of a file or directory in the app or its web root. The last part may have a `*`. */
  find(path: string): string | undefined
  /** The lines of a small text file, without comments. */
  lines(path: string): readonly AppLine[]
}

/** Directories of an app that a web server may serve; php_buildpack moves apps to htdocs. */
const WEB_ROOTS = words('htdocs public web docroot')
const LONGEST_FILE = 500_000
const COMMENT = /^\s*(#|\/\/|\/?\*|\||;|<!--)/

/** The directories from which a web server may serve an app: the app's own directory and those in it. */
export function webRootsOf(appDirectory: string): readonly string[] {
  return [appDirectory, ...WEB_ROOTS.map((name) => `${appDirectory}/${name}`)]
}

/** Opens an app. Unreadable files count as missing, because recognition is a courtesy and must not fail. */
export function openApp(host: Host, directory: string): App {
  const list = remember((path) => listIfAllowed(host, path))
  const read = remember((path) => readIfAllowed(host, path))
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

function withoutComments(text: string): readonly AppLine[] {
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
