import { describe, test } from 'vitest'
import type { Lifecycle } from '../../lab/cloudfoundry/lifecycle.ts'
import { labLifecycle } from '../../lab/cloudfoundry/lifecycle-lab.ts'
import { realLifecycle } from '../../lab/cloudfoundry/lifecycle-real.ts'

/** Defines the same tests for our restatement and, where it can be had, for Cloud Foundry's own builder and launcher. */
export async function describeLifecycles(define: (cf: Lifecycle) => void): Promise<void> {
  describe("our restatement of Cloud Foundry's lifecycle", () => define(labLifecycle))
  const real = await realLifecycle()
  if ('unavailable' in real)
    test("the same under Cloud Foundry's own lifecycle", ({ skip }) => skip(real.unavailable))
  else describe("Cloud Foundry's own lifecycle", () => define(real))
}
