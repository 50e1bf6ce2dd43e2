import type { Host } from '../host/host.ts'
import type { Bindings } from './bindings.ts'
import { readVcapServices } from './cloudfoundry.ts'
import { readVariables } from './environment.ts'
import { readPlatformRelationships } from './platformsh.ts'
import { readServiceBindings } from './service-binding.ts'

/** Where bindings are read. The first source with a candidate wins, because Korifi shows one service in two sources. */
const SOURCES: readonly ((host: Host) => Bindings)[] = [
  readServiceBindings,
  readVcapServices,
  readPlatformRelationships,
  readVariables,
]

/** Reads all bindings from all sources. */
export function readBindings(host: Host): Bindings {
  const read = SOURCES.map((source) => source(host))
  return {
    bindings: read.flatMap(({ bindings }) => bindings),
    findings: read.flatMap(({ findings }) => findings),
  }
}
