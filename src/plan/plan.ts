import type { Binding } from '../core/binding.ts'
import type { Endpoint } from '../core/endpoint.ts'
import { type Finding, hasError } from '../core/finding.ts'
import type { Directive } from '../core/ini.ts'
import type { Options } from '../core/options.ts'
import type { Php } from '../core/php.ts'
import { stores } from '../stores/index.ts'
import type { Store } from '../stores/store.ts'
import { chooseStore } from './choice.ts'

/** A store with everything that is needed to use it. */
export interface PlannedStore {
  readonly store: Store
  readonly service: string
  readonly endpoint: Endpoint
}

/** The one value that every command starts from: what will be, why, and what is wrong. */
export interface Plan {
  /** Absent where sessions stay in files, be it by choice or by error: `findings` tells. */
  readonly planned: PlannedStore | undefined
  /** Why this store or why files; continues the sentence "… because". */
  readonly because: string
  readonly directives: readonly Directive[]
  /** In the order in which PHP must load them. */
  readonly extensions: readonly string[]
  readonly findings: readonly Finding[]
}

/** What a plan is made of: values that a platform and a user gave, already read. */
export interface PlanInput {
  readonly bindings: readonly Binding[]
  readonly options: Options
  readonly php: Php
  /** What was found while reading; an error among it makes a plan without a store. */
  readonly findings: readonly Finding[]
}

/** Decides where the sessions live. No half-made values: with an error there are no directives at all. */
export function makePlan({ bindings, options, php, findings }: PlanInput): Plan {
  if (hasError(findings)) return filesPlan('the configuration cannot be read', findings)
  const { choice, findings: choiceFindings } = chooseStore(bindings, options, stores)
  const found = [...findings, ...choiceFindings]
  if (choice === undefined) {
    const keys = stores.map(({ searchKey }) => options[searchKey]).join(' or ')
    return filesPlan(`no bound service has a name that contains ${keys}`, found)
  }

  const { store, binding, because } = choice
  const { value: endpoint, findings: endpointFindings } = store.endpoint(binding)
  const all = [...found, ...endpointFindings]
  if (endpoint === undefined) return filesPlan(`the credentials of ${binding.name} cannot be used`, all)
  return {
    planned: { store, service: binding.name, endpoint },
    because,
    directives: [SESSION_NAME, ...store.directives(endpoint, options, php), ...commonDirectives(options)],
    extensions: store.extensions,
    findings: all,
  }
}

function filesPlan(because: string, findings: readonly Finding[]): Plan {
  return { planned: undefined, because, directives: [], extensions: [], findings }
}

const SESSION_NAME: Directive = {
  name: 'session.name',
  value: 'PHPSESSIONID',
  because:
    'a router takes JSESSIONID for a wish to stay with one instance; any instance can serve these sessions',
}

function commonDirectives(options: Options): readonly Directive[] {
  const { PHP_SESSIONS_LIFETIME: lifetime, PHP_SESSIONS_SERIALIZER: serializer } = options
  return [
    {
      name: 'session.use_strict_mode',
      value: true,
      because: 'a session id that the server did not make is not accepted, so nobody can plant one',
    },
    ...(lifetime === undefined
      ? []
      : [{ name: 'session.gc_maxlifetime', value: lifetime, because: 'PHP_SESSIONS_LIFETIME, in seconds' }]),
    ...(serializer === undefined
      ? []
      : [{ name: 'session.serialize_handler', value: serializer, because: 'PHP_SESSIONS_SERIALIZER' }]),
  ]
}
