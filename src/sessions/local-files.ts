import { isObject, type JsonObject } from '../core/binding.ts'
import type { Finding } from '../core/finding.ts'
import { joinWords, oneLine } from '../core/text.ts'
import { uidOf, userNamed } from '../homes/container/accounts.ts'
import type { Host } from '../host/host.ts'
import { secondsOf, settingOf } from '../php/web/web.ts'
import type { FilesSettings } from '../plan/previous.ts'
import type { AppSessions } from './app-sessions.ts'

/** Where sessions are, for scripts: docs/sessions.schema.json. */
export interface SessionPlace {
  readonly kind: string
  readonly service: string | null
  /** Of local files; null for a service. */
  readonly directory: string | null
}

/** Whose local files a program has used, and whose it has skipped, by user number. */
interface SeenFiles {
  readonly directory: string
  readonly owners: readonly number[]
  readonly others: readonly number[]
}

/** How a program finds the session files of the app's own PHP, or those of other settings. */
export function filesQuestion(
  { host, web, prepared }: Omit<AppSessions, 'start'>,
  others: FilesSettings = { savePath: settingOf(web, 'session.save_path').value },
) {
  const named = web.isFpm ? prepared.pools.filter(({ name, kind }) => name === 'user' && kind === '') : []
  const users = named.map(({ value }) => uidOf(host, value)).filter((uid) => uid !== undefined)
  const settings = { lifeSeconds: lifetimeIn(web), users: [...new Set(users)], takesHeld: true, ...others }
  return { kind: 'files', settings, isManaged: false } as const
}

/** How long a session lives, unless the app says otherwise. */
export function lifetimeIn(web: AppSessions['web']): number {
  return secondsOf(settingOf(web, 'session.gc_maxlifetime')) || 1440
}

export function placeOf({ prepared: { plan } }: AppSessions, answer: JsonObject): SessionPlace {
  const { planned } = plan
  return {
    kind: planned?.store.name ?? 'files',
    service: planned?.service ?? null,
    directory: seenIn(answer)?.directory ?? null,
  }
}

/** A place, for people. */
export function renderPlace({ service, directory }: SessionPlace): string {
  return service === null
    ? `local files of this instance, in ${oneLine(directory ?? '')}`
    : `the service ${service}`
}

/** Says whose files were left out. */
export function tellOthers(host: Host, answer: JsonObject): void {
  const { others = [] } = seenIn(answer) ?? {}
  if (others.length > 0)
    host.err(`left out: files of ${namesOf(host, others)}, which are not for the app's PHP\n`)
}

/** Why no session is found by its id if another user has such a file; undefined if there is none. */
export function othersFile(host: Host, answer: JsonObject): Finding | undefined {
  const { others = [] } = seenIn(answer) ?? {}
  if (others.length === 0) return undefined
  return {
    id: 'sessions.user',
    level: 'error',
    title: `the file with this session belongs to ${namesOf(host, others)}, and cannot be used`,
    from: seenIn(answer)?.directory ?? 'local files',
    fix: "run this as the user of the app's PHP, or as root",
  }
}

/** Files of several users are of several apps: only one of them can be meant. */
export function severalApps(host: Host, answer: JsonObject): Finding | undefined {
  const seen = seenIn(answer)
  const users = seen?.owners.filter((uid) => uid !== 0) ?? []
  if (seen === undefined || users.length < 2) return undefined
  return {
    id: 'sessions.user',
    level: 'error',
    title: `${seen.directory} has sessions of several apps, so nothing was done: they belong to ${namesOf(host, users)}`,
    from: 'the owners of the files',
    fix: "run this as the user of the app's PHP, or end one session by its id",
  }
}

/** Says that other instances are not asked. */
export function tellInstance(host: Host, answer: JsonObject): void {
  const seen = seenIn(answer)
  if (seen !== undefined)
    host.err(`only sessions of this instance: they are in local files, in ${oneLine(seen.directory)}\n`)
}

function namesOf(host: Host, users: readonly number[]): string {
  return joinWords(
    users.map((uid) => userNamed(host, uid)),
    'and',
  )
}

function seenIn({ files }: JsonObject): SeenFiles | undefined {
  return isObject(files) ? (files as unknown as SeenFiles) : undefined
}
