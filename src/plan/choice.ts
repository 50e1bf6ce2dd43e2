import type { Binding, Sourced } from '../core/binding.ts'
import type { Finding } from '../core/finding.ts'
import type { Options } from '../core/options.ts'
import { joinWords, nearest } from '../core/text.ts'
import type { Store } from '../stores/store.ts'
import { kindOf } from './kind.ts'

/** A service that could keep the sessions. */
export interface Candidate {
  readonly store: Store
  readonly binding: Binding
  /** Why it could; continues the sentence "… because". */
  readonly because: string
}

/** What is chosen and why; `because` explains local files where nothing is. */
export interface StoreChoice {
  readonly choice: Candidate | undefined
  readonly because: string
  readonly findings: readonly Finding[]
}

/** The value of PHP_SESSIONS_SERVICE that asks for local files. */
const NONE = 'none'

/**
 * Chooses the session store by the first rule that finds one: the service that the user names; a service that is
 * meant for sessions, by a search key in its name or by its type; the only Redis or Memcached, where the names of
 * services say nothing.
 *
 * All candidates come from one source, since one service may be visible in two. Several that are meant for sessions
 * are ranked by the order of `stores`, then by the order of the bindings, and a warning names the others.
 */
export function chooseStore(
  bindings: readonly Binding[],
  options: Options,
  stores: readonly Store[],
): StoreChoice {
  const { PHP_SESSIONS_SERVICE: name } = options
  const isNone = name === NONE && !bindings.some(({ names }) => names.includes(NONE))
  if (isNone) return { choice: undefined, because: 'PHP_SESSIONS_SERVICE is none', findings: [] }
  if (name !== undefined)
    return chooseNamed({ value: name, from: 'PHP_SESSIONS_SERVICE' }, bindings, options, stores)
  // Where the sessions come from is where they were: it keeps them only if nothing else is bound.
  const { PHP_SESSIONS_PREVIOUS: previous } = options
  const others = previous === undefined ? bindings : bindings.filter(({ names }) => !names.includes(previous))
  const chosen = chooseUnnamed(others, options, stores)
  return chosen.choice !== undefined || others.length === bindings.length
    ? chosen
    : chooseUnnamed(bindings, options, stores)
}

function chooseUnnamed(
  bindings: readonly Binding[],
  options: Options,
  stores: readonly Store[],
): StoreChoice {
  const meant = findMeant(bindings, options, stores)
  const [choice, ...others] = meant
  if (choice !== undefined)
    return {
      choice,
      because: choice.because,
      findings: others.length === 0 ? [] : [ambiguous(choice, others)],
    }
  return chooseOnly(bindings, options, stores)
}

/** The services that are meant for sessions, the best first, of the first source that has any. */
function findMeant(
  bindings: readonly Binding[],
  options: Options,
  stores: readonly Store[],
): readonly Candidate[] {
  const meant: Candidate[] = []
  for (const binding of bindings) {
    for (const store of stores) {
      const because = whyMeant(binding, store, options)
      if (because === undefined) continue
      meant.push({ store, binding, because })
      break
    }
  }
  return ofFirstSource(meant).toSorted((a, b) => stores.indexOf(a.store) - stores.indexOf(b.store))
}

/** The candidates of the first source that has any; sources come in order of precedence, one after the other. */
function ofFirstSource(candidates: readonly Candidate[]): readonly Candidate[] {
  const source = candidates[0]?.binding.source
  return candidates.filter(({ binding }) => binding.source === source)
}

/** Why a service is meant for sessions; undefined where nothing says that it is. */
export function whyMeant(binding: Binding, store: Store, options: Options): string | undefined {
  const key = options[store.searchKey]
  const { names, kinds } = binding
  // An iterator would cost more than the rest, and thousands of services may be bound.
  for (let i = 0; i < names.length; i++) if (names[i]?.includes(key)) return `its name contains ${key}`
  return kinds.includes(store.sessionType) ? `its type is ${store.sessionType}` : undefined
}

/** Where names say nothing, the only Redis or Memcached is chosen. */
function chooseOnly(bindings: readonly Binding[], options: Options, stores: readonly Store[]): StoreChoice {
  const candidates = bindings.flatMap((binding): Candidate[] => {
    const store = binding.isChosenByKind ? kindOf(binding, stores) : undefined
    if (store === undefined) return []
    return [{ store, binding, because: `it is the only Redis or Memcached in ${binding.source}` }]
  })
  const [choice, ...others] = ofFirstSource(candidates)
  if (choice !== undefined && others.length === 0) return { choice, because: choice.because, findings: [] }
  const keys = joinWords(
    stores.map(({ searchKey }) => options[searchKey]),
    'or',
  )
  return choice === undefined
    ? { choice, because: `no bound service has a name that contains ${keys}`, findings: [] }
    : {
        choice: undefined,
        because: `${others.length + 1} services could keep them and no name contains ${keys}`,
        findings: [undecided([choice, ...others], keys)],
      }
}

function namesOf(choices: readonly Candidate[]): string {
  return joinWords(
    choices.map(({ binding }) => binding.name),
    'and',
  )
}

function ambiguous(choice: Candidate, others: readonly Candidate[]): Finding {
  return {
    id: 'store.ambiguous',
    level: 'warn',
    title: `${others.length + 1} session stores are bound: ${choice.binding.name} is used, not ${namesOf(others)}`,
    from: choice.binding.from,
    fix: `unbind the ones you do not want, or set PHP_SESSIONS_SERVICE=${choice.binding.name}`,
  }
}

function undecided(candidates: readonly Candidate[], keys: string): Finding {
  const [first] = candidates
  return {
    id: 'store.undecided',
    level: 'warn',
    title: `sessions stay in local files: ${namesOf(candidates)} could all keep them, and no name contains ${keys}`,
    from: first?.binding.source ?? '',
    fix: `set PHP_SESSIONS_SERVICE=${first?.binding.name} or the name of another one, or PHP_SESSIONS_SERVICE=none for local files`,
  }
}

/** Chooses the service with a name that the user has set in an option. */
export function chooseNamed(
  { value: name, from }: Sourced<string>,
  bindings: readonly Binding[],
  options: Options,
  stores: readonly Store[],
): StoreChoice {
  const binding = bindings.find(({ names }) => names.includes(name))
  if (binding === undefined) {
    const bound = [...new Set(bindings.map((other) => other.name))]
    return refuse(
      'store.service',
      `no service named ${name} is bound; bound are: ${bound.length === 0 ? 'none' : bound.join(', ')}`,
      from,
      (bound.length === 0 ? `cf bind-service APP ${name}` : `did you mean ${nearest(name, bound)}?`) +
        (from === 'PHP_SESSIONS_PREVIOUS' ? ' When the move is over, remove PHP_SESSIONS_PREVIOUS' : ''),
    )
  }
  const store =
    stores.find((candidate) => whyMeant(binding, candidate, options) !== undefined) ?? kindOf(binding, stores)
  if (store === undefined)
    return refuse(
      'store.kind',
      `cannot tell whether ${name} is Redis or Memcached: neither its name nor its label, tags or credentials say which`,
      `${binding.from} (label and tags: ${binding.kinds.join(', ') || 'none'})`,
      `set REDIS_SESSION_STORE_SERVICE_NAME=${name} or MEMCACHED_SESSION_STORE_SERVICE_NAME=${name} instead`,
    )
  const because = `${from} names it`
  return { choice: { store, binding, because }, because, findings: [] }
}

function refuse(id: string, title: string, from: string, fix: string): StoreChoice {
  return { choice: undefined, because: title, findings: [{ id, level: 'error', title, from, fix }] }
}
