import type { Binding } from '../core/binding.ts'
import type { Finding } from '../core/finding.ts'
import type { Options } from '../core/options.ts'
import { joinWords, nearest } from '../core/text.ts'
import type { Store } from '../stores/store.ts'

/** Which service keeps the sessions. */
export interface Choice {
  readonly store: Store
  readonly binding: Binding
  /** Why this one; continues the sentence "… because". */
  readonly because: string
}

/** What is chosen, if anything, and why; the sentence for files when nothing is. */
export interface ChoiceResult {
  readonly choice: Choice | undefined
  readonly findings: readonly Finding[]
}

/**
 * Chooses the session store: the service that the user names, else one whose name contains a search key.
 *
 * With several matches the order of `stores` decides, then that of the bindings; a warning names the others.
 */
export function chooseStore(
  bindings: readonly Binding[],
  options: Options,
  stores: readonly Store[],
): ChoiceResult {
  if (options.PHP_SESSIONS_SERVICE !== undefined)
    return chooseNamed(options.PHP_SESSIONS_SERVICE, bindings, options, stores)
  const matches = stores.flatMap((store) =>
    bindings
      .filter((binding) => hasKey(binding, store, options))
      .map((binding) => ({
        store,
        binding,
        because: `its name contains ${options[store.searchKey]}`,
      })),
  )
  const [choice, ...others] = matches.filter(
    (match, i) => matches.findIndex(({ binding }) => binding === match.binding) === i,
  )
  return { choice, findings: choice === undefined || others.length === 0 ? [] : [ambiguous(choice, others)] }
}

function hasKey(binding: Binding, store: Store, options: Options): boolean {
  return binding.names.some((name) => name.includes(options[store.searchKey]))
}

function ambiguous(choice: Choice, others: readonly Choice[]): Finding {
  const names = joinWords(
    others.map(({ binding }) => binding.name),
    'and',
  )
  return {
    id: 'store.ambiguous',
    level: 'warn',
    title: `${others.length + 1} session stores are bound: ${choice.binding.name} is used, not ${names}`,
    from: choice.binding.from,
    fix: `unbind what is not meant, or set PHP_SESSIONS_SERVICE=${choice.binding.name}`,
  }
}

function chooseNamed(
  name: string,
  bindings: readonly Binding[],
  options: Options,
  stores: readonly Store[],
): ChoiceResult {
  const binding = bindings.find(({ names }) => names.includes(name))
  const from = 'PHP_SESSIONS_SERVICE'
  if (binding === undefined) {
    const bound = bindings.map((other) => other.name)
    return refuse(
      'store.service',
      `no service named ${name} is bound; bound are: ${bound.length === 0 ? 'none' : bound.join(', ')}`,
      from,
      bound.length === 0 ? `cf bind-service APP ${name}` : `did you mean ${nearest(name, bound)}?`,
    )
  }
  const store =
    stores.find((candidate) => hasKey(binding, candidate, options)) ??
    stores.find(({ kinds }) =>
      kinds.some((kind) => binding.kinds.some((word) => word.toLowerCase().includes(kind))),
    )
  if (store === undefined)
    return refuse(
      'store.kind',
      `cannot tell whether ${name} is Redis or Memcached: neither its name nor its label or tags say so`,
      `${binding.from} (label and tags: ${binding.kinds.join(', ') || 'none'})`,
      `set REDIS_SESSION_STORE_SERVICE_NAME=${name} or MEMCACHED_SESSION_STORE_SERVICE_NAME=${name} instead`,
    )
  return { choice: { store, binding, because: `PHP_SESSIONS_SERVICE names it` }, findings: [] }
}

function refuse(id: string, title: string, from: string, fix: string): ChoiceResult {
  return { choice: undefined, findings: [{ id, level: 'error', title, from, fix }] }
}
