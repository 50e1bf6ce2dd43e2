import { formatAddress } from '../core/address.ts'
import type { Endpoint } from '../core/endpoint.ts'
import type { Finding } from '../core/finding.ts'
import { Secret } from '../core/secret.ts'
import { webOf } from '../php/web.ts'
import type { Plan } from '../plan/plan.ts'
import type { Explanation } from './explain.ts'

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

/** The same with all that `explain` finds out beside it. */
export function explanationJson(explanation: Explanation) {
  const { platform, plan, verdicts, settings, overrides, framework, findings } = explanation
  const web = settings?.cli === undefined ? undefined : webOf(settings)
  return {
    ...planJson(plan, platform.id),
    because: plan.because,
    bindings: verdicts.map(({ binding, kind, isChosen, because }) => ({
      name: binding.name,
      source: binding.source,
      kind: kind?.name ?? null,
      chosen: isChosen,
      because,
    })),
    provenance: plan.planned === undefined ? {} : provenanceOf(plan.planned.endpoint),
    php:
      web === undefined
        ? null
        : { name: web.name, files: web.files, extensions: web.extensions, ours: web.ours },
    overrides,
    framework: frameworkJson(framework),
    findings: findings.map(findingJson),
  }
}

function frameworkJson({ recognised, variables }: Explanation['framework']) {
  if (recognised === undefined) return null
  const { id, name, verdict, from } = recognised
  return { id, name, verdict, from, variables: variables.map((variable) => variable.name) }
}

/** Where each value of an endpoint was read, by the names that `store` has. */
function provenanceOf({ topology, servers, tls, user, password, database, sentinel }: Endpoint) {
  const values = {
    topology,
    servers: servers[0],
    tls,
    user,
    password,
    database,
    masterName: sentinel?.masterName,
  }
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value.from]])),
  )
}

/** Always the same five words in the same order. */
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
    }
  const { store, service, endpoint } = planned
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
  }
}
