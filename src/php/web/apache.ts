import type { SettingLine } from '../answers.ts'

/** A line of Apache's configuration; it may be unused, because the modules around it may be missing. */
interface ApacheLine {
  readonly text: string
  readonly from: string
  /** The conditions of the `<IfModule>` around it, each with its `!`. */
  readonly conditions: readonly string[]
}

/** A file of a web server. */
export interface ServerFile {
  readonly path: string
  readonly text: string
}

/**
 * Finds what files of Apache set for PHP as its module: `php_value` and the like. Without `modules`, those that are
 * loaded are found in the same files; then nothing counts unless PHP's module is among them.
 */
export function findApacheSettings(
  files: readonly ServerFile[],
  names: readonly string[],
  modules?: readonly string[],
): readonly (SettingLine & { readonly isAdmin: boolean })[] {
  const lines = files.flatMap(readLines)
  const loaded = modules ?? loadedIn(lines)
  if (!loaded.includes('php_module')) return []
  return lines.flatMap(({ text, from, conditions }) => {
    if (!conditions.every((condition) => holds(condition, loaded))) return []
    const [, admin, name = '', value = ''] =
      /^php_(admin_)?(?:value|flag)\s+"?([\w.]+)"?\s+"?(.*?)"?\s*$/i.exec(text) ?? []
    return names.includes(name) ? [{ name, value, from, isAdmin: admin !== undefined }] : []
  })
}

function readLines({ path, text }: ServerFile): readonly ApacheLine[] {
  const conditions: string[] = []
  return text.split('\n').flatMap((line, i) => {
    const trimmed = line.trim()
    const condition = /^<IfModule\s+"?([^">]+?)"?\s*>/i.exec(trimmed)?.[1]
    if (condition !== undefined) conditions.push(condition)
    else if (/^<\/IfModule>/i.test(trimmed)) conditions.pop()
    else return [{ text: trimmed, from: `${path}:${i + 1}`, conditions: [...conditions] }]
    return []
  })
}

/** A module may be loaded only if another one is. */
function loadedIn(lines: readonly ApacheLine[]): readonly string[] {
  const loading = lines.flatMap(({ text, conditions }) => {
    const name = /^LoadModule\s+(\w+)/i.exec(text)?.[1]
    return name === undefined ? [] : [{ name, conditions }]
  })
  const always = loading.filter(({ conditions }) => conditions.length === 0).map(({ name }) => name)
  const sometimes = loading.filter(
    ({ conditions }) => conditions.length > 0 && conditions.every((condition) => holds(condition, always)),
  )
  return [...always, ...sometimes.map(({ name }) => name)]
}

/** A module is named `php_module` or after its source, `mod_php.c`. */
function holds(condition: string, loaded: readonly string[]): boolean {
  const [, not, name = ''] = /^(!?)\s*(.*)$/.exec(condition) ?? []
  const isLoaded = loaded.some((module) => module === name || sourcesOf(module).includes(name))
  return isLoaded === (not === '')
}

function sourcesOf(module: string): readonly string[] {
  const base = module.replace(/_module$/, '')
  return [`mod_${base}.c`, `${base.replace(/^mpm_/, '')}.c`]
}
