import { formatServers } from '../core/endpoint.ts'
import type { Finding, Level } from '../core/finding.ts'
import { oneLine } from '../core/text.ts'
import type { Plan, PlannedStore } from './plan.ts'

const SYMBOL = { error: '✗', warn: '!' } as const

/** How findings look: in colour or in ASCII, and how far to the right. */
export interface FindingStyle {
  mark(level: Level): string
  readonly indent: string
}

/** Without colours, for build logs. */
const PLAIN: FindingStyle = { mark: (level) => SYMBOL[level], indent: '' }

/** Renders findings for people: what is wrong, where it comes from, what to do. */
export function renderFindings(findings: readonly Finding[], { mark, indent }: FindingStyle = PLAIN): string {
  return findings
    .flatMap(({ level, title, id, from, fix }) => [
      `${mark(level)} ${oneLine(title)}  (${id})`,
      `    from ${oneLine(from)}`,
      `    fix  ${oneLine(fix)}`,
    ])
    .map((line) => `${indent}${line}\n`)
    .join('')
}

/** Says in one line where the sessions are kept and why. */
export function summarise({ planned, because }: Plan): string {
  if (planned === undefined) return oneLine(`sessions are kept in local files, because ${because}`)
  const { store, service } = planned
  return oneLine(
    `sessions are kept in ${store.title} service ${service} (${formatPlace(planned)}), because ${because}${describeMove(planned)}`,
  )
}

/** Says where the sessions come from, as the end of a sentence; empty where they do not move. */
export function describeMove({ previous }: PlannedStore): string {
  return previous === undefined ? '' : `; they move from ${previous.title}, and stay there, too`
}

/** Says in one line what the settings of a plan are for, and why. */
export function describePurpose({ planned, because }: Plan): string {
  if (planned === undefined) return oneLine(`no settings, because ${because}`)
  const { store, service } = planned
  return oneLine(
    `settings for ${store.title} service ${service} (${formatPlace(planned)}), because ${because}${describeMove(planned)}`,
  )
}

/** Names where PHP connects; before the Sentinels have been asked, the name of the master and the Sentinels. */
export function formatPlace({ endpoint, servers }: PlannedStore): string {
  if (endpoint.sentinel === undefined || servers.length > 0) return formatServers({ servers })
  return `the master ${endpoint.sentinel.masterName.value} of the Sentinels ${formatServers(endpoint)}`
}

/** The finding for a file that cannot be used; `message` says which file and why. */
export function fileFinding({
  message,
  fix = 'give the user that runs php-sessions access to it; nothing was changed there',
}: {
  readonly message: string
  readonly fix?: string | undefined
}): Finding {
  return {
    id: 'file.access',
    level: 'error',
    title: message,
    from: 'the file system',
    fix,
  }
}
