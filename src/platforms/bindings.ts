import type { Binding } from '../core/binding.ts'
import type { Finding } from '../core/finding.ts'

/** The bindings of one source, in the order of the source, and what could not be read. */
export interface Bindings {
  readonly bindings: readonly Binding[]
  readonly findings: readonly Finding[]
}
