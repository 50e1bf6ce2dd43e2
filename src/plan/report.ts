import { formatServers } from '../core/endpoint.ts'
import type { Finding } from '../core/finding.ts'
import { oneLine } from '../core/text.ts'
import type { Plan } from './plan.ts'

const SYMBOL = { error: '✗', warn: '!' } as const

/** Renders findings for people: what is, where it came from, what to do. Without colours, for build logs. */
export function renderFindings(findings: readonly Finding[]): string {
  return findings
    .map(
      ({ level, title, id, from, fix }) =>
        `${SYMBOL[level]} ${oneLine(title)}  (${id})\n    from ${oneLine(from)}\n    fix  ${oneLine(fix)}\n`,
    )
    .join('')
}

/** Says in one line where the sessions are kept and why. */
export function summarise({ planned, because }: Plan): string {
  if (planned === undefined) return oneLine(`sessions are kept in local files, because ${because}`)
  const { store, service, endpoint } = planned
  return oneLine(
    `sessions are kept in ${store.title} service ${service} (${formatServers(endpoint)}), because ${because}`,
  )
}

/** What a file that refused means to people; `message` says which and why. */
export function fileFinding({ message }: { readonly message: string }): Finding {
  return {
    id: 'file.access',
    level: 'error',
    title: message,
    from: 'the file system',
    fix: 'give the user that runs php-sessions access to it; nothing was changed there',
  }
}
