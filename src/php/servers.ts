import { type Address, formatAddress } from '../core/address.ts'
import type { Sourced } from '../core/binding.ts'
import { Secret } from '../core/secret.ts'
import type { Plan, PlannedStore } from '../plan/plan.ts'

/** The servers that PHP will talk to: those of the binding, or the master that the Sentinels named. */
export function serversOf(plan: Plan, { endpoint }: PlannedStore): readonly Sourced<Address>[] {
  if (endpoint.sentinel === undefined) return endpoint.servers
  const path = plan.directives.find(({ name }) => name === 'session.save_path')?.value
  const [, host, port] = /^[a-z]+:\/\/(.+):([0-9]+)\?/.exec(path instanceof Secret ? path.reveal() : '') ?? []
  if (host === undefined) return []
  const from = `the Sentinels' word for ${endpoint.sentinel.masterName.value}`
  return [{ value: { host, port: Number(port) }, from }]
}

/** Names a server for people. */
export function nameOf(server: Sourced<Address> | undefined): string {
  return server === undefined ? 'the server' : formatAddress(server.value)
}
