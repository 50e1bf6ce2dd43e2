import { formatAddress } from '../core/address.ts'
import type { Finding } from '../core/finding.ts'
import { Secret } from '../core/secret.ts'
import type { Plan } from './plan.ts'
import type { PreviousStore } from './previous.ts'

/** A plan as scripts read it: docs/doctor.schema.json. A value that is secret is null. */
export function planJson(plan: Plan, platform: string) {
  return {
    version: 1,
    platform,
    store: storeJson(plan),
    handler: plan.planned?.handler ?? null,
    directives: plan.directives.map(({ name, value, because }) => {
      const secret = value instanceof Secret
      return { name, value: secret ? null : value, because, secret }
    }),
    extensions: plan.extensions,
    findings: plan.findings.map(findingJson),
  }
}

/** Always the same five keys in the same order. */
export function findingJson({ id, level, title, from, fix }: Finding) {
  return { id, level, title, from, fix }
}

function storeJson({ planned }: Plan) {
  if (planned === undefined)
    return {
      kind: 'files',
      service: null,
      topology: null,
      host: null,
      port: null,
      tls: null,
      user: null,
      database: null,
      password: null,
      passwordPresent: false,
      servers: [],
      masterName: null,
      previous: null,
    }
  const { store, service, endpoint, previous } = planned
  const first = endpoint.servers[0]?.value
  return {
    kind: store.name,
    service,
    topology: endpoint.topology.value,
    host: first?.host ?? null,
    port: first?.port ?? null,
    tls: endpoint.tls.value,
    user: endpoint.user?.value ?? null,
    database: endpoint.database?.value ?? null,
    password: null,
    passwordPresent: endpoint.password !== undefined,
    servers: endpoint.servers.map(({ value }) => formatAddress(value)),
    masterName: endpoint.sentinel?.masterName.value ?? null,
    previous: previous === undefined ? null : previousJson(previous),
  }
}

/** The store that had the sessions before. */
function previousJson(previous: PreviousStore) {
  if (previous.store === undefined) return { kind: 'files', service: null, servers: [] }
  const { store, service, endpoint } = previous
  return {
    kind: store.name,
    service,
    servers: endpoint.servers.map(({ value }) => formatAddress(value)),
  }
}
