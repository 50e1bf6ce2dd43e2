import type { JsonObject } from '../core/binding.ts'
import { type Finding, hasError } from '../core/finding.ts'
import { printableLines, renderJson } from '../core/text.ts'
import type { Host } from '../host/host.ts'
import { choosePlace, describePrevious, type PreviousStore } from '../plan/previous.ts'
import { renderFindings } from '../plan/report.ts'
import { stores } from '../stores/index.ts'
import { type AppSessions, findSessions, isRefused } from './app-sessions.ts'
import { askSessions, boundStoreQuestion, isFinding, type StoreQuestion } from './program.ts'
import copyProgram from './programs/copy.php'

type Flags = Readonly<Record<string, string>>

/** From where to where, and the prefixes of the keys there, where they are not those of the settings. */
interface Side {
  readonly place: PreviousStore
  readonly prefix: string | undefined
}

/** Copies the sessions of one store to another one, which keeps what it has. */
export function copySessions(host: Host, flags: Flags): number {
  const log = (text: string) => {
    if (flags.debug !== undefined) host.err(printableLines(text))
  }
  const found = findSessions(host, flags, log)
  if (isRefused(found)) return refuse(host, found)
  const from = chooseSide(found, '--from', flags.from ?? '', flags['from-prefix'])
  if (isFindings(from)) return refuse(host, from)
  const to =
    flags.to === undefined ? ownSide(found, flags) : chooseSide(found, '--to', flags.to, flags['to-prefix'])
  if (isFindings(to)) return refuse(host, to)
  if (isSame(from, to, found)) return refuse(host, [same(flags.from ?? '')])
  host.err(`php-sessions: copies sessions from ${titleOf(from, found)} to ${titleOf(to, found)}\n`)
  const program = { name: 'copy', files: [copyProgram] }
  const asked = { from: questionOf(from, found), to: questionOf(to, found) }
  const answer = askSessions(found, program, {}, log, asked)
  if (isFinding(answer)) return refuse(host, [answer])
  if (flags.json === undefined) host.out(renderCopied(answer))
  else host.out(renderJson({ version: 1, from: sideJson(from), to: sideJson(to), ...copiedJson(answer) }))
  const { done, skipped } = copiedJson(answer)
  return done && skipped.locked === 0 && skipped.refused === 0 ? 0 : 1
}

function isFindings(side: Side | readonly Finding[]): side is readonly Finding[] {
  return Array.isArray(side)
}

function refuse(host: Host, findings: readonly Finding[]): number {
  host.err(renderFindings(findings))
  return 1
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
    title: `${name} is the store to which the sessions are copied, too`,
    from: '--from',
    fix: 'name another one, or another prefix: --from-prefix PREFIX',
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

/** The program's answer, as docs/copy.schema.json has it. */
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
  locked: 'were held by a request all the time: run it again',
  refused: 'are refused there, as too large for example',
} as const

function renderCopied(answer: JsonObject): string {
  const { done, copied, bytes, skipped, seconds } = copiedJson(answer)
  const reasons = Object.entries(REASONS)
    .map(([name, why]) => [skipped[name as keyof typeof REASONS], why] as const)
    .filter(([count]) => count > 0)
    .map(([count, why]) => `skipped ${count}, which ${why}\n`)
  const head = `copied ${copied} sessions, ${(bytes / 1e6).toFixed(1)} MB, in ${seconds} s\n`
  return [done ? '' : 'stopped; run it again for the rest\n', head, ...reasons].join('')
}
