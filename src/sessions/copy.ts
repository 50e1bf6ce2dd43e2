import type { JsonObject } from '../core/binding.ts'
import { type Finding, hasError } from '../core/finding.ts'
import { renderJson } from '../core/text.ts'
import type { Host } from '../host/host.ts'
import type { Log } from '../php/ask.ts'
import { choosePlace, describePrevious, type PreviousStore } from '../plan/previous.ts'
import { stores } from '../stores/index.ts'
import type { AppSessions } from './app-sessions.ts'
import { askSessions, boundStoreQuestion, isFinding, type StoreQuestion } from './program.ts'
import copyProgram from './programs/copy.php'
import { EVERY_KIND, type Flags, withSessions } from './work.ts'

/** The source and the target, and the prefixes of their keys, if they differ from the settings. */
interface Side {
  readonly place: PreviousStore
  readonly prefix: string | undefined
}

/** Copies the sessions of one store to another, which keeps its own. */
export function copySessions(host: Host, flags: Flags): number {
  const seen = withSessions(host, flags, (found, log) => copy(host, found, flags, log), EVERY_KIND)
  if (seen === undefined) return 1
  const { from, to, copied } = seen
  if (flags.json === undefined) host.out(renderCopied(copied))
  else host.out(renderJson({ version: 1, from: sideJson(from), to: sideJson(to), ...copied }))
  const { done, skipped } = copied
  return done && skipped.locked === 0 && skipped.refused === 0 ? 0 : 1
}

/** What was copied, as docs/copy.schema.json has it, and between which stores. */
interface Copying {
  readonly from: Side
  readonly to: Side
  readonly copied: ReturnType<typeof copiedJson>
}

function copy(
  host: Host,
  found: AppSessions,
  flags: Flags,
  log: Log,
): Copying | Finding | readonly Finding[] {
  const from = chooseSide(found, '--from', flags.from ?? '', flags['from-prefix'])
  if (isFindings(from)) return from
  const to =
    flags.to === undefined ? ownSide(found, flags) : chooseSide(found, '--to', flags.to, flags['to-prefix'])
  if (isFindings(to)) return to
  if (isSame(from, to, found)) return same(flags.from ?? '')
  host.err(`php-sessions: copying sessions from ${titleOf(from, found)} to ${titleOf(to, found)}\n`)
  const program = { name: 'copy', files: [copyProgram] }
  const asked = { from: questionOf(from, found), to: questionOf(to, found) }
  const answer = askSessions(found, program, {}, log, asked)
  return isFinding(answer) ? answer : { from, to, copied: copiedJson(answer) }
}

function isFindings(side: Side | readonly Finding[]): side is readonly Finding[] {
  return Array.isArray(side)
}

function chooseSide(
  { prepared: { input } }: AppSessions,
  flag: string,
  name: string,
  prefix: string | undefined,
): Side | readonly Finding[] {
  const { value, findings } = choosePlace({ value: name, from: flag }, input.bindings, input.options, stores)
  const errors = findings.filter(({ level }) => level === 'error')
  return value === undefined || hasError(errors) ? errors : { place: value, prefix }
}

/** The store that keeps the sessions of the app. */
function ownSide({ prepared: { plan } }: AppSessions, flags: Flags): Side | readonly Finding[] {
  const { planned, because } = plan
  if (planned !== undefined) return { place: planned, prefix: flags['to-prefix'] }
  return [
    {
      id: 'copy.target',
      level: 'error',
      title: `no bound store keeps the sessions of this app: ${because}`,
      from: 'the services that are bound',
      fix: 'bind the new store, or name it: --to SERVICE',
    },
  ]
}

function same(name: string): Finding {
  return {
    id: 'copy.same',
    level: 'error',
    title: `${name} is both the source and the target`,
    from: '--from',
    fix: 'name another source, or another prefix: --from-prefix PREFIX',
  }
}

function isSame(from: Side, to: Side, found: AppSessions): boolean {
  const prefixOf = ({ place, prefix }: Side) =>
    place.store === undefined
      ? ''
      : (prefix ?? place.store.keyPrefix(place.endpoint, found.surroundings.options))
  const nameOf = ({ place }: Side) => (place.store === undefined ? '' : place.service)
  return nameOf(from) === nameOf(to) && prefixOf(from) === prefixOf(to)
}

function titleOf({ place, prefix }: Side, { surroundings }: AppSessions): string {
  const keys = prefix === undefined ? '' : `, keys ${prefix}…`
  return `${describePrevious(place, surroundings.php.savePath)}${keys}`
}

function questionOf({ place, prefix }: Side, { surroundings }: AppSessions): StoreQuestion {
  if (place.store === undefined)
    return {
      kind: 'files',
      settings: { savePath: place.savePath ?? surroundings.php.savePath?.value ?? null },
      isManaged: false,
    }
  const { options } = surroundings
  const own = prefix === undefined ? options : { ...options, PHP_SESSIONS_PREFIX: prefix }
  return boundStoreQuestion(place, { ...surroundings, options: own }, false)
}

const sideJson = ({ place }: Side) => ({
  kind: place.store?.name ?? 'files',
  service: place.store === undefined ? null : place.service,
})

/** The program's answer for scripts. */
function copiedJson(answer: JsonObject) {
  const skipped = answer.skipped as JsonObject
  return {
    done: answer.done === true,
    copied: Number(answer.copied),
    bytes: Number(answer.bytes),
    skipped: {
      there: Number(skipped.there),
      expired: Number(skipped.expired),
      locked: Number(skipped.locked),
      refused: Number(skipped.refused),
    },
    seconds: Number(answer.seconds),
  }
}

/** Why sessions were not copied. */
const REASONS = {
  there: 'are there already',
  expired: 'have expired',
  locked: 'stayed locked by a request: run it again',
  refused: 'were refused there, for example as too large',
} as const

function renderCopied({ done, copied, bytes, skipped, seconds }: Copying['copied']): string {
  const reasons = Object.entries(REASONS)
    .map(([name, why]) => [skipped[name as keyof typeof REASONS], why] as const)
    .filter(([count]) => count > 0)
    .map(([count, why]) => `skipped ${count}, which ${why}\n`)
  const head = `copied ${copied} ${copied === 1 ? 'session' : 'sessions'}, ${(bytes / 1e6).toFixed(1)} MB, in ${seconds} s\n`
  return [done ? '' : 'stopped; run it again for the rest\n', head, ...reasons].join('')
}
