import type { StoreName } from '../core/endpoint.ts'
import type { Finding } from '../core/finding.ts'
import { makeMask } from '../core/mask.ts'
import { printableLines } from '../core/text.ts'
import type { Host } from '../host/host.ts'
import type { Log } from '../php/ask.ts'
import type { Plan } from '../plan/plan.ts'
import { renderFindings } from '../plan/report.ts'
import { type AppSessions, type Flags, findSessions, isRefused, secretsIn } from './app-sessions.ts'
import { isFinding } from './program.ts'

export type { Flags } from './app-sessions.ts'

/** Where sessions may be: in one store, in a pool of Memcached servers, or in local files. */
type Kind = StoreName | 'pool' | 'files'

/** For commands that judge for themselves where the sessions are. */
export const EVERY_KIND: readonly Kind[] = ['redis', 'memcached', 'pool', 'files']

/** Does something with the sessions of an app; says why where that is not possible. */
export function withSessions<Answer>(
  host: Host,
  flags: Flags,
  work: (sessions: AppSessions, log: Log) => Answer | Finding | readonly Finding[],
  kinds: readonly Kind[] = LISTED,
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
  const findings = findingsOf(answer)
  if (findings === undefined) return answer as Answer
  refuse(host, findings)
  return undefined
}

/** Why there is no answer; undefined if there is one. */
function findingsOf(answer: unknown): readonly Finding[] | undefined {
  if (Array.isArray(answer)) return answer
  return typeof answer === 'object' && answer !== null && isFinding(answer) ? [answer] : undefined
}

/** Where `programs/` can list the sessions, unless a server refuses it. */
const LISTED: readonly Kind[] = ['redis', 'memcached', 'files']

function refuseKind({ prepared: { plan } }: AppSessions, kinds: readonly Kind[]): readonly Finding[] {
  const kind = kindOf(plan)
  if (kinds.includes(kind)) return []
  return [
    {
      id: 'sessions.kind',
      level: 'error',
      title:
        'these sessions are in a pool of Memcached servers, and this command works with Redis, Valkey, one Memcached and local files only',
      from: plan.because,
      fix: 'bind such a service, or name it in PHP_SESSIONS_SERVICE',
    },
  ]
}

function kindOf({ planned }: Plan): Kind {
  if (planned === undefined) return 'files'
  return planned.store.name === 'memcached' && planned.servers.length > 1 ? 'pool' : planned.store.name
}

/** Says why nothing is done; gives the exit status. */
export function refuse(host: Host, findings: readonly Finding[]): number {
  host.err(renderFindings(findings))
  return 1
}
