import { type Service, vcapServices } from '../../lab/bindings.ts'
import type { Directive } from '../../src/core/ini.ts'
import { DEFAULT_PHP, type Php } from '../../src/core/php.ts'
import { Secret } from '../../src/core/secret.ts'
import { readPlan } from '../../src/php/read-plan.ts'
import type { Plan } from '../../src/plan/plan.ts'
import { fakeHost } from './fake-host.ts'

/** The plan for these services, as an app with this environment would get it. */
export function planFor(
  services: readonly Service[],
  env: Record<string, string> = {},
  php: Php = DEFAULT_PHP,
): Plan {
  const host = fakeHost({ ...env, VCAP_SERVICES: vcapServices(...services) })
  return readPlan(host, '/app', { php, directory: '/run/php-sessions' }).plan
}

/** The values of a plan's directives, secrets in clear. */
export function valuesOf({ directives }: { readonly directives: readonly Directive[] }) {
  return Object.fromEntries(
    directives.map(({ name, value }) => [name, value instanceof Secret ? value.reveal() : value]),
  )
}
