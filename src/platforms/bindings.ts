import type { Binding } from '../core/binding.ts'
import type { Finding } from '../core/finding.ts'

/** What a platform says is bound, in its own order, and what could not be read. */
export interface Bindings {
  readonly bindings: readonly Binding[]
  readonly findings: readonly Finding[]
}
