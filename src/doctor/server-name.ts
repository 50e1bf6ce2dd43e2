import { type Address, formatAddress } from '../core/address.ts'
import type { Sourced } from '../core/binding.ts'

/** Names a server for people. */
export function serverName(server: Sourced<Address> | undefined): string {
  return server === undefined ? 'the server' : formatAddress(server.value)
}
