import type { Binding } from './binding.ts'
import type { Finding } from './finding.ts'
import type { Options } from './options.ts'

/** What every command starts from: what a platform has bound to the app, and what its users have set. */
export interface Input {
  readonly bindings: readonly Binding[]
  readonly options: Options
  /** What was found instead of a store, on platforms where services have no names; continues "… because". */
  readonly nothingBound?: string
  /** What could not be read. */
  readonly findings: readonly Finding[]
}
