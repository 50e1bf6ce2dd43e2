import { expect, test } from 'vitest'
import { Secret } from '../../src/core/secret.ts'
import type { Plan } from '../../src/plan/plan.ts'
import { fakeHost } from '../support/host/fake-host.ts'
import { planOn } from '../support/plan.ts'
import { fc, PROPERTY_RUNS } from '../support/properties.ts'
import { mutatedShapes } from '../support/values/mutations.ts'
import { inVcapServices } from '../support/values/shapes.ts'

const HOURS = 3_600_000
// Values in memory are cheap compared to what the other property tests do.
const RUNS = 5 * PROPERTY_RUNS

const HOST = /^(tcp|tls):\/\/[A-Za-z0-9_.:%-]+:[1-9][0-9]{0,4}\?|^unix:\/\/\/[^\s?]+\?/
const SEED = /^seed\[\]=(tls%3A%2F%2F)?[A-Za-z0-9_.%-]+%3A[1-9][0-9]{0,4}(&|$)/
const SERVERS = /^(([A-Za-z0-9_.-]+|\[[0-9a-fA-F:.%]+\]):[1-9][0-9]{0,4}(:[0-9]+)?|\/[^\s,]+)(,|$)/

/** The plan is whole: every server of the path is a host with a port, not a word such as undefined or null. */
function expectWhole({ directives }: Plan): void {
  const value = directives.find(({ name }) => name === 'session.save_path')?.value
  const path = value instanceof Secret ? value.reveal() : String(value)
  const address = path.split(/[?&](auth|timeout)/)[0] ?? ''
  expect(address).not.toMatch(/undefined|not-found|NaN|\[object|\/null:/)
  expect([HOST, SEED, SERVERS].some((form) => form.test(path))).toBe(true)
}

test(
  `${RUNS} mutated bindings give a whole plan, or a finding that says which field is missing`,
  () => {
    fc.assert(
      fc.property(mutatedShapes, (shape) => {
        const host = fakeHost(inVcapServices(shape).env)
        const plan = planOn(host, { master: { host: '10.9.9.9', port: 6379 } })
        if (plan.planned !== undefined) return expectWhole(plan)
        expect(plan.directives).toEqual([])
        const errors = plan.findings.filter(({ level }) => level === 'error')
        expect(errors.length).toBeGreaterThan(0)
        for (const { title, from, fix } of errors) {
          expect(from).toContain('VCAP_SERVICES app-')
          expect(title.length + fix.length).toBeLessThan(2_000)
        }
      }),
      { numRuns: RUNS },
    )
  },
  HOURS,
)
