import type { Host } from '../host/host.ts'
import type { Bindings } from './bindings.ts'
import { readVcapServices } from './cloudfoundry.ts'
import { readVariables } from './environment.ts'
import { readPlatformRelationships } from './platformsh.ts'
import { readServiceBindings } from './service-binding.ts'

/** The ways in which a binding arrives, the first that has a candidate wins; Korifi uses two for the same service. */
const SOURCES: readonly ((host: Host) => Bindings)[] = [
  readServiceBindings,
  readVcapServices,
  readPlatformRelationships,
  readVariables,
]

/** Reads what is bound, however it arrives. */
export function readBindings(host: Host): Bindings {
  const read = SOURCES.map((source) => source(host))
  return {
    bindings: read.flatMap(({ bindings }) => bindings),
    findings: read.flatMap(({ findings }) => findings),
  }
}
