import { formatServers } from '../core/endpoint.ts'
import type { Input } from '../core/input.ts'
import type { Host } from '../host/host.ts'
import { completePlan, UNKNOWN_PHP } from '../php/complete.ts'
import { OFFLINE } from '../php/look-around.ts'
import { chooseEndpoint, type Plan, type PlannedStore } from '../plan/plan.ts'
import { readInput } from '../platforms/input.ts'

/** What a buildpack knows while it stages an app: there is no PHP yet, and the bindings may change. */
export interface StagedPlan {
  readonly input: Input
  readonly plan: Plan
}

/** Makes a plan for an app that is being staged, for an unknown PHP. */
export function planWithoutPhp(host: Host, appDirectory: string): StagedPlan {
  const input = readInput(host, appDirectory)
  return { input, plan: completePlan(host, chooseEndpoint(input), UNKNOWN_PHP, '.', OFFLINE, () => []).plan }
}

/** Says where the server is and how to log in, without the password. */
export function describeServer({ endpoint }: PlannedStore): string {
  const { tls, user, password } = endpoint
  const login =
    password === undefined
      ? 'without a password'
      : `with the password${user === undefined ? '' : ` of user ${user.value}`} from its credentials`
  return `${formatServers(endpoint)}${tls.value ? ' over TLS' : ''}, ${login}`
}
