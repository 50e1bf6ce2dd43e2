import type { Sourced } from '../core/binding.ts'
import type { Finding } from '../core/finding.ts'
import type { Host } from '../host/host.ts'
import { findInPages, runsManaged } from '../php/page-settings.ts'
import type { Plan } from '../plan/plan.ts'
import { describeBypass } from '../stores/redis/managed.ts'

/** Finds where the managed handler will not run because the app has another file run in its place; `later` is from an ini file. */
export function findBypass(
  host: Host,
  appDirectory: string,
  { planned }: Plan,
  later: Sourced<string> | undefined,
): readonly Finding[] {
  if (planned?.handler !== 'managed') return []
  const winning = [findInPages(host, appDirectory, 'auto_prepend_file'), later].find(
    (prepend) => prepend !== undefined && !runsManaged(host, prepend.value),
  )
  return winning === undefined ? [] : [{ id: 'handler.bypassed', ...describeBypass(winning) }]
}
