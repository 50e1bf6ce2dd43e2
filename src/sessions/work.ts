import type { StoreName } from '../core/endpoint.ts'
import type { Finding } from '../core/finding.ts'
import { makeMask } from '../core/mask.ts'
import { printableLines } from '../core/text.ts'
import type { Host } from '../host/host.ts'
import type { Log } from '../php/ask.ts'
import { renderFindings } from '../plan/report.ts'
import { type AppSessions, findSessions, isRefused, secretsIn } from './app-sessions.ts'
import { isFinding } from './program.ts'

export type Flags = Readonly<Record<string, string>>

/** Stores; undefined is local files. */
type Kinds = readonly (StoreName | undefined)[]

/** Does something with the sessions of an app; says why where that is not possible. */
export function withSessions<Answer>(
  host: Host,
  flags: Flags,
  work: (sessions: AppSessions, log: Log) => Answer | Finding,
  kinds: Kinds = LISTED,
): Answer | undefined {
  // What was asked has no secrets; the answer may quote a server.
  let hide = (text: string) => text
  const log: Log = (text) => {
    if (flags.debug !== undefined) host.err(printableLines(hide(text)))
  }
  const found = findSessions(host, flags, log)
  if (isRefused(found)) {
    refuse(host, found)
    return undefined
  }
  const refusals = refuseKind(found, kinds)
  if (refusals.length > 0) {
    refuse(host, refusals)
    return undefined
  }
  hide = makeMask(secretsIn(found))
  const answer = work(found, log)
  if (typeof answer !== 'object' || answer === null || !isFinding(answer)) return answer as Answer
  refuse(host, [answer])
  return undefined
}

/** The stores whose keys `programs/` can list. */
const LISTED: Kinds = ['redis']

function refuseKind({ prepared: { plan } }: AppSessions, kinds: Kinds): readonly Finding[] {
  const { planned } = plan
  if (kinds.includes(planned?.store.name)) return []
  return [
    {
      id: 'sessions.kind',
      level: 'error',
      title: `these sessions are in ${planned === undefined ? 'local files' : planned.store.title}, and this command works with Redis and Valkey only`,
      from: plan.because,
      fix: 'bind a Redis or Valkey service, or name it in PHP_SESSIONS_SERVICE',
    },
  ]
}

/** Says why nothing is done; gives the exit status. */
export function refuse(host: Host, findings: readonly Finding[]): number {
  host.err(renderFindings(findings))
  return 1
}
