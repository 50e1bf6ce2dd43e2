import type { Host } from '../../host/host.ts'
import type { Fpm, Sapi, Setting, SettingsAnswer } from '../answers.ts'
import { askPhp, LIMIT_SECONDS, type Log, type PhpStart, ProbeSilent, type Question } from '../ask.ts'

/** The PHP that answers requests: php-fpm where there is one, Apache's module, or else the command line's. */
export interface Web extends Sapi {
  /** E.g. `php-fpm 8.2.36`. */
  readonly name: string
  readonly pools: Fpm['pools']
  readonly isFpm: boolean
  readonly isApache: boolean
}

/** Asks for the settings of the PHP that serves the app. */
export function askForSettings(
  host: Host,
  start: PhpStart,
  question: Question,
  log: Log,
): Partial<SettingsAnswer> {
  return { ...askPhp(host, start, 'settings', question, log), isApache: start.isApache === true }
}

/** The PHP whose settings count: php-fpm, or if that could not be asked, the command line's. */
export function webOf({ version, cli, fpm, isApache = false }: Partial<SettingsAnswer>): Web {
  if (cli === undefined) throw new ProbeSilent('php', 0, LIMIT_SECONDS)
  // A php-fpm of another version reads other ini files.
  if (fpm === undefined || fpm === null || fpm.version !== version)
    return {
      ...cli,
      name: `PHP ${version}${isApache ? ' in Apache' : ''}`,
      pools: [],
      isFpm: false,
      isApache,
    }
  return { ...fpm, name: `php-fpm ${fpm.version}`, isFpm: true, isApache: false }
}

/** A setting as a page gets it: a pool's value wins over every ini file. */
export function settingOf(web: Web, name: string): Setting {
  return findSetting(web, name) ?? { isExpected: true, value: '', from: null }
}

/** The same; undefined where this PHP has no such setting. */
export function findSetting({ pools, settings }: Web, name: string): Setting | undefined {
  return pools.findLast((pool) => pool.name === name) ?? settings[name]
}

/** Whether a setting is on. */
export function isOn({ value }: Pick<Setting, 'value'>): boolean {
  return value !== '0' && value !== '' && value !== null
}

/** The number in a setting, most often of seconds, or 0. */
export function secondsOf({ value }: Pick<Setting, 'value'>): number {
  return Number.parseInt(value ?? '', 10) || 0
}

/** Counts the ini files of a PHP by directory. */
export function placesOf(sapi: Pick<Sapi, 'loaded' | 'files'> | undefined): string {
  if (sapi === undefined) return 'nothing'
  const all = directoriesOf(sapi)
  const counted = [...new Set(all)].map((directory) => {
    const count = all.filter((other) => other === directory).length
    return `${count} ${count === 1 ? 'file' : 'files'} in ${directory}`
  })
  return [sapi.loaded ?? 'no php.ini', ...counted].join(', ')
}

/** The directory of each ini file except php.ini, in the order in which PHP reads them. */
export function directoriesOf({ loaded, files }: Pick<Sapi, 'loaded' | 'files'>): readonly string[] {
  return files.filter((file) => file !== loaded).map((file) => file.replace(/\/[^/]*$/, ''))
}
