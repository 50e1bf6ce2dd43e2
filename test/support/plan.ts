import { type Service, vcapServices } from '../../lab/bindings.ts'
import type { Directive } from '../../src/core/formats/ini.ts'
import { DEFAULT_PHP, type Php } from '../../src/core/php.ts'
import { Secret } from '../../src/core/secret.ts'
import type { Host } from '../../src/host/host.ts'
import { chooseEndpoint, configure, type Plan } from '../../src/plan/plan.ts'
import { readInput } from '../../src/platforms/input.ts'
import type { Surroundings } from '../../src/stores/store.ts'
import { fakeHost } from './host/fake-host.ts'

/** Makes the plan for an app with these services and this environment. */
export function planFor(
  services: readonly Service[],
  env: Record<string, string> = {},
  php: Php = DEFAULT_PHP,
): Plan {
  return planOn(fakeHost({ ...env, VCAP_SERVICES: vcapServices(...services) }), { php })
}

/** The plan for what a host has bound. */
export function planOn(
  host: Host,
  { php = DEFAULT_PHP, master, directory = '/run/php-sessions' }: Partial<Omit<Surroundings, 'options'>> = {},
): Plan {
  return configure(chooseEndpoint(readInput(host, '/app')), { php, directory, master })
}

/** The values of a plan's directives, with secrets in clear text. */
export function valuesOf({ directives }: { readonly directives: readonly Directive[] }) {
  return Object.fromEntries(
    directives.map(({ name, value }) => [name, value instanceof Secret ? value.reveal() : value]),
  )
}
