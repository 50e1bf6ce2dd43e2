import type { Binding } from './binding.ts'
import type { Finding } from './finding.ts'
import type { Options } from './options.ts'

/** What every command starts from: what a platform has bound to the app, and what its users have set. */
export interface Input {
  readonly bindings: readonly Binding[]
  readonly options: Options
  /** What there is instead of a store, for platforms where services have no names: the end of "… because". */
  readonly nothingBound?: string
  /** What could not be read. */
  readonly findings: readonly Finding[]
}
