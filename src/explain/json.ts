import type { Endpoint } from '../core/endpoint.ts'
import { webOf } from '../php/web/web.ts'
import { findingJson, planJson } from '../plan/json.ts'
import type { Explanation } from './explanation.ts'

/** An explanation as scripts read it: the plan, and everything else that `explain` found out. */
export function explanationJson(explanation: Explanation) {
  const { platform, plan, verdicts, settings, overrides, cookie, framework, findings } = explanation
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
    cookie: cookie ?? null,
    framework: frameworkJson(framework),
    findings: findings.map(findingJson),
  }
}

function frameworkJson({ recognised, variables }: Explanation['framework']) {
  if (recognised === undefined) return null
  const { id, name, verdict, from } = recognised
  return { id, name, verdict, from, variables: variables.map((variable) => variable.name) }
}

/** Where each value of an endpoint was read, under the names that `store` uses. */
function provenanceOf(endpoint: Endpoint) {
  const { topology, servers, tls, user, password, database, sentinel, encryption } = endpoint
  const values = {
    topology,
    servers: servers[0],
    tls,
    user,
    password,
    database,
    masterName: sentinel?.masterName,
    encryption,
  }
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value.from]])),
  )
}
