import type { Address } from '../core/address.ts'
import type { Binding } from '../core/binding.ts'
import type { Endpoint } from '../core/endpoint.ts'
import { type Finding, hasError } from '../core/finding.ts'
import type { Directive } from '../core/ini.ts'
import type { Handler, Options } from '../core/options.ts'
import type { Php } from '../core/php.ts'
import { stores } from '../stores/index.ts'
import type { PlannedFile, Store } from '../stores/store.ts'
import { chooseStore } from './choice.ts'
import { handlerFindings } from './handler.ts'

/** A store with everything that is needed to use it. */
export interface PlannedStore {
  readonly store: Store
  readonly service: string
  readonly endpoint: Endpoint
  readonly handler: Handler
}

/** The one value that every command starts from: what will be, why, and what is wrong. */
export interface Plan {
  /** Absent where sessions stay in files, be it by choice or by error: `findings` tells. */
  readonly planned: PlannedStore | undefined
  /** Why this store or why files; continues the sentence "… because". */
  readonly because: string
  /** All but the save_path where sentinels have yet to be asked for the master. */
  readonly directives: readonly Directive[]
  /** In the order in which PHP must load them. */
  readonly extensions: readonly string[]
  /** What the directives refer to. */
  readonly files: readonly PlannedFile[]
  readonly findings: readonly Finding[]
}

/** What a plan is made of: values that a platform and a user gave, already read. */
export interface PlanInput {
  readonly bindings: readonly Binding[]
  readonly options: Options
  readonly php: Php
  /** Where the plan's files will be written, an absolute path. */
  readonly directory: string
  /** The master that the sentinels of the chosen binding named. */
  readonly master?: Address | undefined
  /** What was found while reading; an error among it makes a plan without a store. */
  readonly findings: readonly Finding[]
}

/** Decides where the sessions live. No half-made values: with an error there are no directives at all. */
export function makePlan(input: PlanInput): Plan {
  const { bindings, options, findings } = input
  if (hasError(findings)) return filesPlan('the configuration cannot be read', findings)
  const { choice, because, findings: choiceFindings } = chooseStore(bindings, options, stores)
  const found = [...findings, ...choiceFindings]
  if (choice === undefined) return filesPlan(because, found)

  const { store, binding } = choice
  const { value: endpoint, findings: endpointFindings } = store.endpoint(binding, options)
  const read = [...found, ...endpointFindings]
  const unusable = `the credentials of ${binding.name} cannot be used`
  if (endpoint === undefined) return filesPlan(unusable, read)
  const { php, directory, master } = input
  const configuration = store.configure(endpoint, { options, php, directory, master })
  const { handler } = configuration
  const all = [...read, ...configuration.findings, ...handlerFindings(options, store, handler)]
  if (hasError(all)) return filesPlan(unusable, all)
  return {
    planned: { store, service: binding.name, endpoint, handler },
    because,
    directives: [
      SESSION_NAME,
      ...configuration.directives,
      ...commonDirectives(options, configuration.whyNotStrict),
    ],
    extensions: store.extensions,
    files: configuration.files,
    findings: all,
  }
}

function filesPlan(because: string, findings: readonly Finding[]): Plan {
  return { planned: undefined, because, directives: [], extensions: [], files: [], findings }
}

const SESSION_NAME: Directive = {
  name: 'session.name',
  value: 'PHPSESSIONID',
  because:
    'a router takes JSESSIONID for a wish to stay with one instance; any instance can serve these sessions',
}

function commonDirectives(options: Options, whyNotStrict: string | undefined): readonly Directive[] {
  const { PHP_SESSIONS_LIFETIME: lifetime, PHP_SESSIONS_SERIALIZER: serializer } = options
  return [
    {
      name: 'session.use_strict_mode',
      value: whyNotStrict === undefined,
      because:
        whyNotStrict ?? 'a session id that the server did not make is not accepted, so nobody can plant one',
    },
    ...(lifetime === undefined
      ? []
      : [{ name: 'session.gc_maxlifetime', value: lifetime, because: 'PHP_SESSIONS_LIFETIME, in seconds' }]),
    ...(serializer === undefined
      ? []
      : [{ name: 'session.serialize_handler', value: serializer, because: 'PHP_SESSIONS_SERIALIZER' }]),
  ]
}
