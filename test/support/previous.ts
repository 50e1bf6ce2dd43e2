import type { Service } from '../../lab/bindings.ts'
import { describePurpose, renderFindings } from '../../src/plan/report.ts'
import { planFor } from './plan.ts'

export { planFor }

/** What a plan says of where the sessions are, and of what is wrong. */
export function explain(services: readonly Service[], env: Readonly<Record<string, string>>): string {
  const plan = planFor(services, env)
  const files = plan.files
    .map(({ path }) => path.replace(/.*\//, ''))
    .filter((name) => name.includes('previous'))
  return [describePurpose(plan), ...files, renderFindings(plan.findings)].join('\n')
}
