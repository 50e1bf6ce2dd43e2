import type { StoreName } from '../core/endpoint.ts'
import type { Secret } from '../core/secret.ts'
import type { App } from './app.ts'
import type { BoundServer, Need } from './bound.ts'

/**
 * What an app does with its sessions.
 *
 * `php`: it uses PHP's handler. `own-local`: it keeps them in a place that instances do not share. `own-shared`: it
 * keeps them in a place that instances share. `breaks`: it treats the save_path as a directory, so that it fails while
 * a store is bound. `none`: it has no sessions.
 */
export type FrameworkVerdict = 'php' | 'own-local' | 'own-shared' | 'breaks' | 'none'

export interface FrameworkOutcome {
  readonly verdict: FrameworkVerdict
  /** Where the sessions are, or why they break; continues "keeps its sessions in …" or "… because". */
  readonly where: string
}

/** A decision as data: an outcome, or a question with an outcome for each answer; undefined if it cannot be decided. */
export type Judgement = FrameworkOutcome | ByVersion | BySetting | undefined

export interface ByVersion {
  /** The packages whose version counts, if not that of the app's framework itself. */
  readonly of?: readonly string[]
  readonly below: string
  readonly older: Judgement
  /** Also for an unknown version, because most apps are that new. */
  readonly otherwise: Judgement
}

export interface BySetting {
  readonly setting: AppSetting
  /** The first case whose pattern matches the value decides. */
  readonly cases: readonly (readonly [value: RegExp, judgement: Judgement])[]
  /** If the setting has no value, or no case matches. */
  readonly otherwise: Judgement
}

/** Where an app has a setting for its sessions. */
export interface AppSetting {
  /** An environment variable that wins over the files. */
  readonly variable?: string
  /** Files, the strongest first. In a line that is not a comment, the first group of the pattern is the value. */
  readonly places: readonly (readonly [file: string, line: RegExp])[]
}

/** How to configure an app so that its sessions are in the bound service, or at least in a shared place. */
export interface FrameworkAdvice {
  /** The only store that the lines are for. */
  readonly store?: StoreName
  /** The first version of the app that it applies to. */
  readonly since?: string
  /** The only version of the app that it applies to. */
  readonly only?: string
  /** What the app cannot do with these lines; a service that needs it gets the next advice. */
  readonly lacks: readonly Need[]
  /** Whether the lines choose another place that all instances share, for services that the app cannot use. */
  readonly isElsewhere?: boolean
  readonly place: string
  /** Never with a password: they read it at run time, or have `<password>`. */
  lines(server: BoundServer): readonly string[]
}

/** An environment variable that makes an app use the bound service. */
export interface AppVariable {
  readonly name: string
  readonly value: string | Secret
  readonly because: string
}

/** How to recognise a framework, and what it does with sessions. */
export interface Rule {
  readonly id: string
  readonly name: string
  /** One of these is enough, required by the app or locked. */
  readonly packages: readonly string[]
  /** All paths of one list are enough. The last part of a path may have a `*`. */
  readonly files: readonly (readonly string[])[]
  /** Where the files have the version, for apps without Composer. */
  readonly release?: AppSetting
  readonly judgement: Judgement
  /** The first advice that suits the bound service counts. */
  readonly advice?: readonly FrameworkAdvice[]
  /** An addition to the verdict. */
  readonly remark?: string
  /** What to set at startup, so that the app need not change; empty if the app has settings of its own. */
  environment?(app: App, server: BoundServer, version: string | undefined): readonly AppVariable[]
}

export const USES_PHP: FrameworkOutcome = { verdict: 'php', where: '' }
export const NO_SESSIONS: FrameworkOutcome = { verdict: 'none', where: '' }
export const IN_DATABASE = ownShared('its database')

export function ownLocal(where: string): FrameworkOutcome {
  return { verdict: 'own-local', where }
}

export function ownShared(where: string): FrameworkOutcome {
  return { verdict: 'own-shared', where }
}

/** For sessions that a setting of the app keeps elsewhere. */
export function asNamedBy(setting: string): FrameworkOutcome {
  return ownShared(`the store that its ${setting} names`)
}

export function breaks(where: string): FrameworkOutcome {
  return { verdict: 'breaks', where }
}

export function inDirectoryOf(setting: string): FrameworkOutcome {
  return ownLocal(`files in the directory that its ${setting} names`)
}

/** For a files handler without a directory of its own. */
export function mistakenBy(handler: string): FrameworkOutcome {
  return breaks(`its ${handler} treats session.save_path as a directory`)
}

/** A setting that looks the same in each of these files, the strongest first. */
export function inFiles(line: RegExp, ...files: readonly string[]): AppSetting {
  return { places: files.map((file) => [file, line]) }
}

/** Lines that choose PHP's session handler: they suit every service because they do not name one. */
export function always(place: string, ...lines: readonly string[]): FrameworkAdvice {
  return { lacks: [], place, lines: () => lines }
}

/** Lines for another place that all instances share, for services that the app cannot use. */
export function elsewhere(place: string, ...lines: readonly string[]): FrameworkAdvice {
  return { ...always(place, ...lines), isElsewhere: true }
}
