import { type Finding, hasError } from '../../../core/finding.ts'
import type { Options } from '../../../core/options.ts'
import { webOf } from '../../../php/web/web.ts'
import type { PlannedStore } from '../../../plan/plan.ts'
import type { Check, Context } from '../../check.ts'
import { runChecks } from '../../run.ts'

const FROM = 'PHP_SESSIONS_PREVIOUS'

type PreviousStore = NonNullable<PlannedStore['previous']>

/**
 * Whether sessions can be taken from the store that had them before: makes the checks of a store there, then has the
 * handler itself use it. Their findings keep their ids and say which store is meant.
 */
export function previousStore(ofStore: readonly Check[]): Check {
  return {
    id: 'previous.store',
    meaning: 'can the managed handler use the previous store?',
    needs: ['binding.plan', 'php.found', 'php.handler'],
    run: (context) => {
      const previous = context.plan.planned?.previous
      if (previous === undefined) return undefined
      const found = [...findIn(context, ofStore)]
      if (!hasError(found)) found.push(...findUnusable(context, previous))
      return {
        title: `sessions can be taken from ${previous.title}, and kept there`,
        findings: (hasError(found) ? [...found, consequence(previous, context.options)] : found).map(
          (finding) => ({ ...finding, store: 'previous' }),
        ),
      }
    },
  }
}

function findIn(context: Context, ofStore: readonly Check[]): readonly Finding[] {
  const there = context.ofPrevious()
  const { planned } = there?.context.plan ?? {}
  if (there === undefined || planned === undefined) return []
  // Unlike the doctor, the handler needs no extension for that store.
  const hasExtension = (webOf(context.ask('settings')).extensions[planned.store.name] ?? null) !== null
  const possible = ofStore.filter(({ id }) => hasExtension || /^(net|tls)\./.test(id))
  const noMaster = planned.servers.length === 0
  const results = noMaster ? [] : runChecks(possible, there.context, () => undefined)
  const found = results.flatMap(({ findings }) => findings)
  return [...(hasExtension ? there.findings : []), ...found].map((finding) => ({
    ...finding,
    title: `previous store ${planned.service}: ${finding.title}`,
    fix: withoutSettings(finding.fix, planned.service),
  }))
}

/** These settings are about the store that keeps the sessions now. */
function withoutSettings(fix: string, service: string): string {
  if (fix.includes('PHP_SESSIONS_TOPOLOGY'))
    return `correct the credentials of ${service}: a cluster has its nodes in cluster_nodes, Sentinels are in sentinels, beside master_name`
  return fix.replace(/, or remove PHP_SESSIONS_HANDLER$|^set PHP_SESSIONS_HANDLER=native, or /, '')
}

function findUnusable(context: Context, { title, store }: PreviousStore): readonly Finding[] {
  const { failure } = context.ask('previous')
  if (failure === null) return []
  return [
    {
      id: 'previous.failed',
      level: 'error',
      title: `the managed handler cannot use ${title}: ${context.quote(failure ?? '') || 'PHP gives no reason'}`,
      from: FROM,
      fix:
        store === undefined
          ? "name the directory with the sessions, and let the app's user write there"
          : `look in the log of that server; if it keeps the sessions now, remove ${FROM}`,
    },
  ]
}

/** What the handler does in the meantime (docs/moving.md). */
function consequence(
  { title }: PreviousStore,
  { PHP_SESSIONS_ON_STORE_ERROR: onStoreError }: Options,
): Finding {
  return {
    id: 'previous.store',
    level: 'warn',
    title: `meanwhile sessions that exist only in ${title} are not found: their visitors get ${onStoreError === 'empty' ? 'an empty session' : 'a status 503'} for 60 seconds, and then a new session; other visitors notice nothing`,
    from: FROM,
    fix: `repair the previous store, or remove ${FROM} when nobody needs its sessions`,
  }
}
