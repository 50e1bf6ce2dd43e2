import type { StoreName } from '../core/endpoint.ts'
import { renderComment, renderIni } from '../core/formats/ini.ts'
import { findLoadingLines, restoreLines, setLinesAside } from '../core/formats/php-ini.ts'
import type { CompletePlan } from '../php/complete.ts'
import type { IniFile } from '../php/ini-lines.ts'
import { stores } from '../stores/index.ts'

/**
 * The order in which PHP loads the extensions for sessions.
 *
 * PHP loads extensions line by line: php.ini first, then the scanned files. One that is linked to igbinary or msgpack, as
 * Debian's are, is not loaded before those, and one that is loaded twice makes PHP warn. So igbinary and msgpack stay
 * where an ini file loads them, and the store's extension is loaded after everything else.
 */
interface Arrangement {
  /** Loaded by a file that PHP reads after all others, in this order. */
  readonly last: readonly string[]
}

/** The arrangement where ini files may be edited. */
export interface EditedArrangement extends Arrangement {
  readonly files: readonly IniFile[]
}

/** The arrangement where ini files stay as they are. */
export interface AddedArrangement extends Arrangement {
  /** Loaded by a file that PHP reads before all others but php.ini, in this order. */
  readonly first: readonly string[]
}

/** The extensions for sessions in loading order: those that others are linked to come first. */
const IN_ORDER = [...new Set(stores.flatMap(({ extensions }) => extensions))].toSorted(
  (a, b) => Number(isOfStore(a)) - Number(isOfStore(b)),
)

function isOfStore(extension: string): extension is StoreName {
  return stores.some(({ name }) => name === extension)
}

/** What is known about the libraries of the extensions. */
export interface Libraries {
  has(extension: string): boolean
  /** Whether the one is linked to the other. */
  isLinked(extension: string, to: string): boolean
}

/**
 * Arranges the lines of ini files, given in the order in which PHP reads them, and perhaps edited by an earlier start.
 * `bound` is the store that the sessions need. Without one, an extension that the app loads is moved only if PHP could
 * not load it there.
 */
export function arrangeLines(
  given: readonly IniFile[],
  bound: StoreName | undefined,
  { has, isLinked }: Libraries,
): EditedArrangement {
  const files = given.map(({ path, bytes }) => ({ path, bytes: restoreLines(bytes) }))
  const installed = IN_ORDER.filter(has)
  const lines = files.flatMap(({ path, bytes }) =>
    findLoadingLines(bytes, installed).map((line) => ({ ...line, path })),
  )
  const firstOf = (extension: string) => lines.findIndex((line) => line.extension === extension)
  const isBefore = (required: string, at: number) => firstOf(required) !== -1 && firstOf(required) < at
  const required = installed.filter((name) => !isOfStore(name))
  const linkedTo = (extension: string) => required.filter((name) => isLinked(extension, name))

  const kept = new Set(required.map(firstOf))
  const last = new Set<string>()
  for (const extension of installed.filter(isOfStore)) {
    const own = lines.flatMap((line, at) => (line.extension === extension ? [at] : []))
    const isAfter = (names: readonly string[]) => own.find((at) => names.every((name) => isBefore(name, at)))
    // For most extensions the library need not be read.
    const at = own.length === 0 ? undefined : (isAfter(required) ?? isAfter(linkedTo(extension)))
    const needed =
      extension === bound ? required : own.length > 0 && at === undefined ? linkedTo(extension) : []
    for (const name of needed) if (firstOf(name) === -1) last.add(name)
    if (at !== undefined) kept.add(at)
    else if (own.length > 0 || extension === bound) last.add(extension)
  }
  const aside = lines.filter((_, at) => !kept.has(at))
  return {
    last: IN_ORDER.filter((name) => last.has(name)),
    files: files.map(({ path, bytes }) => ({
      path,
      bytes: setLinesAside(
        bytes,
        aside.flatMap((line) => (line.path === path ? [line.start] : [])),
      ),
    })),
  }
}

/** Arranges the extensions that no ini file loads, for a PHP that has listed its extensions. */
export function addExtensions({ plan, facts }: CompletePlan): AddedArrangement {
  const store = plan.planned?.store.name
  if (facts === undefined || store === undefined) return { first: [], last: [] }
  const { loaded, loadable, scanned } = facts
  const missing = plan.extensions.filter((name) => loadable.includes(name) && !loaded.includes(name))
  const at = scanned.indexOf(store)
  // A line of the app fails only because nothing has loaded the extension that this one is linked to.
  const isTried = missing.includes(store) && missing.length > 1 && at !== -1
  const isLate = plan.extensions.some((name) => loaded.includes(name) && scanned.indexOf(name) > at)
  return isTried && !isLate
    ? { first: missing.filter((name) => name !== store), last: [] }
    : { first: [], last: missing }
}

/** Renders the file that loads extensions; empty for none. */
export function renderExtensions(extensions: readonly string[]): string {
  if (extensions.length === 0) return ''
  const head = renderComment(
    'Written by php-sessions at every start: extensions that other ini files do not load, in the order they need.',
  )
  const directives = extensions.map((extension) => ({
    name: 'extension',
    value: extension,
    because: isOfStore(extension)
      ? `keeps sessions, or is loaded by a line that was set aside`
      : `other extensions may be linked to it`,
  }))
  return head + renderIni(directives)
}
