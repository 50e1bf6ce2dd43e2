import type { Uri } from '../../core/address.ts'
import type { Sourced } from '../../core/binding.ts'
import type { ListedServer } from '../../core/credentials/credentials.ts'
import type { Endpoint } from '../../core/endpoint.ts'

/** The places that the fields name, before it is decided how the servers work together. */
export interface RedisPlaces {
  readonly uri: Sourced<Uri> | undefined
  /** Where the app should connect: one server, or several in one field or URI. */
  readonly direct: Sourced<readonly ListedServer[]> | undefined
  /** The port of a field for TLS ports. */
  readonly tlsPort: Sourced<number> | undefined
  readonly port: Sourced<number> | undefined
  readonly tls: Sourced<boolean>
}

/** Where the servers are, once it is decided how they work together. */
export type Shape = Pick<Endpoint, 'topology' | 'servers' | 'sentinel'>
