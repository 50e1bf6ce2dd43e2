import type { Lifecycle } from '../../../lab/cloudfoundry/lifecycle.ts'
import { labLifecycle } from '../../../lab/cloudfoundry/lifecycle-lab.ts'
import { realLifecycle } from '../../../lab/cloudfoundry/lifecycle-real.ts'

const real = await realLifecycle()

/** Why Cloud Foundry's own lifecycle is not among `lifecycles`; undefined if it is. */
export const realUnavailable = 'unavailable' in real ? real.unavailable : undefined

/** The lifecycles that this machine can run; every test of a lifecycle runs with each of them. */
export const lifecycles: readonly (readonly [name: string, lifecycle: Lifecycle])[] = [
  ["the lab's", labLifecycle],
  ...('unavailable' in real ? [] : [['the real', real] as const]),
]
