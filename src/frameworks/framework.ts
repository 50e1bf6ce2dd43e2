import type { Secret } from '../core/secret.ts'
import type { App } from './app.ts'
import type { BoundServer, Need } from './bound.ts'

/**
 * What an app does with its sessions: `php` leaves them to PHP's handler; `own-local` keeps them in a place that each
 * instance has for itself; `own-shared` in one that all share; `breaks` takes the save_path for a directory, so that
 * a bound store stops it; `none` has none.
 */
export type Verdict = 'php' | 'own-local' | 'own-shared' | 'breaks' | 'none'

export interface Outcome {
  readonly verdict: Verdict
  /** Where the sessions are, or why they break; continues "keeps its sessions in …" or "… because". */
  readonly where: string
}

/** A decision as data: an outcome, or a question with the outcomes of its answers; undefined where nobody can tell. */
export type Judgement = Outcome | ByVersion | BySetting | undefined

export interface ByVersion {
  /** The packages whose version counts, where it is not that of the app's framework itself. */
  readonly of?: readonly string[]
  readonly below: string
  readonly older: Judgement
  /** Also where the version is not known: most apps are of this age. */
  readonly otherwise: Judgement
}

export interface BySetting {
  readonly setting: Setting
  /** The first whose pattern the value matches. */
  readonly cases: readonly (readonly [value: RegExp, judgement: Judgement])[]
  /** Where the setting has no value, or one of no case. */
  readonly otherwise: Judgement
}

/** Where an app says something about its sessions. */
export interface Setting {
  /** An environment variable that wins over the files. */
  readonly variable?: string
  /** Files, the strongest first; the first group of the pattern is the value, in a line that is no comment. */
  readonly places: readonly (readonly [file: string, line: RegExp])[]
}

/** How to set an app so that the sessions go to the bound service, or at least are shared. */
export interface Advice {
  /** What the lines are for; only services of this store. */
  readonly store?: 'redis' | 'memcached'
  /** The first version that it is right for. */
  readonly since?: string
  /** What the app cannot do by these lines; a service that needs it gets the next advice. */
  readonly lacks: readonly Need[]
  /** Whether they lead to another place that all instances share, for services that the app cannot use. */
  readonly isElsewhere?: boolean
  readonly place: string
  /** Never with a password: how the app gets it at run time, or `<password>`. */
  lines(server: BoundServer): readonly string[]
}

/** An environment variable that makes an app use the bound service. */
export interface Variable {
  readonly name: string
  readonly value: string | Secret
  readonly because: string
}

/** How one framework is recognised, and what it does with sessions. */
export interface Rule {
  readonly id: string
  readonly name: string
  /** Of which one is enough, required by the app or locked. */
  readonly packages: readonly string[]
  /** Of which all in one list are enough; the last part of a path may have a `*`. */
  readonly files: readonly (readonly string[])[]
  /** Where the files say the version, for apps without Composer. */
  readonly release?: Setting
  readonly judgement: Judgement
  /** The first that suits the bound service counts. */
  readonly advice?: readonly Advice[]
  /** What to say beside the verdict. */
  readonly remark?: string
  /** What to set at the start, so that nobody need change the app; empty where the app has settings of its own. */
  environment?(app: App, server: BoundServer, version: string | undefined): readonly Variable[]
}

export const USES_PHP: Outcome = { verdict: 'php', where: '' }
export const NO_SESSIONS: Outcome = { verdict: 'none', where: '' }
export const IN_DATABASE = ownShared('its database')

export function ownLocal(where: string): Outcome {
  return { verdict: 'own-local', where }
}

export function ownShared(where: string): Outcome {
  return { verdict: 'own-shared', where }
}

/** For sessions that the app's own settings send elsewhere. */
export function asNamedBy(setting: string): Outcome {
  return ownShared(`the store that its ${setting} names`)
}

export function breaks(where: string): Outcome {
  return { verdict: 'breaks', where }
}

export function inDirectoryOf(setting: string): Outcome {
  return ownLocal(`files in the directory of its ${setting}`)
}

/** For a files handler that has no directory of its own. */
export function mistakenBy(handler: string): Outcome {
  return breaks(`its ${handler} takes session.save_path for a directory`)
}

/** A setting that is written in the same way in each of these files, the strongest first. */
export function inFiles(line: RegExp, ...files: readonly string[]): Setting {
  return { places: files.map((file) => [file, line]) }
}

/** Lines that leave it to PHP's session handler: they suit every service, as they name none. */
export function always(place: string, ...lines: readonly string[]): Advice {
  return { lacks: [], place, lines: () => lines }
}

/** Lines for a place that all instances share, where the bound service cannot be used. */
export function elsewhere(place: string, ...lines: readonly string[]): Advice {
  return { ...always(place, ...lines), isElsewhere: true }
}
