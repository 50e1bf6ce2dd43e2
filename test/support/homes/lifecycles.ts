import type { Lifecycle } from '../../../lab/cloudfoundry/lifecycle.ts'
import { labLifecycle } from '../../../lab/cloudfoundry/lifecycle-lab.ts'
import { realLifecycle } from '../../../lab/cloudfoundry/lifecycle-real.ts'

const real = await realLifecycle()

/** Why Cloud Foundry's own lifecycle is not among `lifecycles`, if it is not. */
export const realUnavailable = 'unavailable' in real ? real.unavailable : undefined

/** The lifecycles that this machine can run; every test of one is a test of all. */
export const lifecycles: readonly (readonly [name: string, lifecycle: Lifecycle])[] = [
  ['restated', labLifecycle],
  ...('unavailable' in real ? [] : [['real', real] as const]),
]
