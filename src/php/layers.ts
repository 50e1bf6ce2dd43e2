import type { Host } from '../host/host.ts'
import type { PoolLine, SettingLine } from './answers.ts'
import { fileOf } from './answers.ts'
import type { Known, TargetPhp } from './complete.ts'
import { findPageSettings } from './web/page-settings.ts'
import { findServerSettings, type Served } from './web/web-server.ts'

/** Settings that some pages get in place of those of the ini files. */
export interface Layer {
  /** What these pages are, e.g. `the pool www`. */
  readonly pages: string
  /** The effective line of each setting. */
  readonly lines: readonly SettingLine[]
}

/** Everything that decides what a page gets, besides the settings of php-sessions. */
export interface Layers {
  /** Ini files that PHP reads before that of php-sessions. */
  readonly before: readonly SettingLine[]
  /** Those that it reads later, and `-d`, which wins over them. */
  readonly after: readonly SettingLine[]
  /** The pools of php-fpm; each page is of one of them. */
  readonly pools: readonly Layer[]
  /** The settings of web servers, `.user.ini` and `.htaccess` for some pages. */
  readonly pages: readonly Layer[]
}

/** Reads the layers of these settings, in the order in which PHP applies them. */
export function readLayers(
  host: Host,
  appDirectory: string,
  php: TargetPhp,
  { facts, pools }: Known,
  names: readonly string[],
): Layers {
  const served = servedBy(php)
  const inis = [...php.lines, ...(facts?.lines ?? [])].filter(({ name }) => names.includes(name))
  const isLater = (line: SettingLine) => php.isReadLater(fileOf(line))
  const ofPools = poolsIn(pools)
  const fixes = (pool: string, name: string) =>
    pools.some((line) => line.pool === pool && line.name === name && isAdmin(line))
  const isFixed = (name: string) => ofPools.length > 0 && ofPools.every((pool) => fixes(pool, name))
  const inPages = findPageSettings(host, appDirectory, names, served)
    .filter(({ name, from }) => from.includes('.htaccess') || !isFixed(name))
    .map((line) => ({ pages: `pages below ${directoryOf(line)}`, line }))
  const inServers = findServerSettings(host, appDirectory, names, served).map((line) => ({
    pages: `pages that ${fileOf(line)} serves`,
    line,
  }))
  return {
    before: inis.filter((line) => !isLater(line)),
    after: [...inis.filter(isLater), ...definitionsOf(php, facts, names)],
    pools: ofPools.map((pool) => ({ pages: `the pool ${pool}`, lines: linesOfPool(pools, pool, names) })),
    pages: group([...inServers, ...inPages]),
  }
}

/** Which PHP answers the app's requests. */
export function servedBy({ fpm }: TargetPhp): Served {
  if (fpm === undefined) return 'unknown'
  return fpm.length > 0 ? 'fpm' : 'other'
}

/** The `-d NAME=VALUE` of the command that serves an app, or of what starts its PHP; these win over every ini file. */
export function definitionsOf(
  { served, fpm = [] }: TargetPhp,
  facts: Known['facts'],
  names: readonly string[],
): readonly SettingLine[] {
  const command = served ?? fpm
  const inCommand = command.flatMap((word, i) => {
    const definition = command[i - 1] === '-d' ? word : /^-d(.+)$/.exec(word)?.[1]
    const [, name, value = '1'] = /^([\w.]+)(?:=(.*))?$/.exec(definition ?? '') ?? []
    // The value may be a secret.
    return name === undefined || !names.includes(name) ? [] : [{ name, value, from: `-d ${name}` }]
  })
  return [...(facts?.definitions ?? []).filter(({ name }) => names.includes(name)), ...inCommand]
}

/** The effective lines of pools. */
export function countingLines(pools: readonly PoolLine[], names: readonly string[]): readonly PoolLine[] {
  return poolsIn(pools).flatMap((pool) => linesOfPool(pools, pool, names))
}

function poolsIn(lines: readonly PoolLine[]): readonly string[] {
  return [...new Set(lines.map(({ pool }) => pool))].filter((pool) => pool !== 'global')
}

/** The effective lines of a pool: `php_admin_value` before `php_value`, and of two lines of a kind the first. */
function linesOfPool(
  lines: readonly PoolLine[],
  pool: string,
  names: readonly string[],
): readonly PoolLine[] {
  const own = lines.filter((line) => line.pool === pool && line.kind !== '')
  return names.flatMap((name) => {
    const setting = own.filter((line) => line.name === name)
    return setting.find(isAdmin) ?? setting[0] ?? []
  })
}

function isAdmin({ kind }: PoolLine): boolean {
  return kind.startsWith('php_admin_')
}

function directoryOf(line: SettingLine): string {
  return fileOf(line).replace(/\/[^/]*$/, '')
}

function group(found: readonly { readonly pages: string; readonly line: SettingLine }[]): readonly Layer[] {
  return [...new Set(found.map(({ pages }) => pages))].map((pages) => ({
    pages,
    lines: found.filter((other) => other.pages === pages).map(({ line }) => line),
  }))
}
