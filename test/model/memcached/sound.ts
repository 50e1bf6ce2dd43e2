import { expect } from 'vitest'
import type { Model } from './events.ts'
import { search } from './search.ts'

/** Demands that no order of events loses an update. */
export function expectSound(model: Model): void {
  const { violation, trace, states } = search(model)
  expect({ violation, trace }).toEqual({ violation: undefined, trace: [] })
  // A search that stops early proves nothing.
  expect(states).toBeGreaterThan(model.does.length === 1 ? 50 : 80)
}
