import type { Binding } from '../core/binding.ts'
import type { Options } from '../core/options.ts'
import { joinWords } from '../core/text.ts'
import type { Store } from '../stores/store.ts'
import { chooseStore, whyMeant } from './choice.ts'
import { kindOf } from './kind.ts'

/** Whether a binding keeps the sessions, and why. */
export interface BindingVerdict {
  readonly binding: Binding
  /** The kind of store that its label, credentials or port say it is. */
  readonly kind: Store | undefined
  readonly isChosen: boolean
  readonly because: string
}

/** Says for each binding, in the order in which they were read, why it keeps the sessions or why it does not. */
export function judgeBindings(
  bindings: readonly Binding[],
  options: Options,
  stores: readonly Store[],
): readonly BindingVerdict[] {
  const { choice, because } = chooseStore(bindings, options, stores)
  return bindings.map((binding): BindingVerdict => {
    const isChosen = binding === choice?.binding
    const kind = isChosen ? choice.store : kindOf(binding, stores)
    const why = isChosen ? because : whyNot(binding, kind, choice?.binding, options, stores)
    return { binding, kind, isChosen, because: why }
  })
}

function whyNot(
  binding: Binding,
  kind: Store | undefined,
  chosen: Binding | undefined,
  options: Options,
  stores: readonly Store[],
): string {
  const { PHP_SESSIONS_SERVICE: named, PHP_SESSIONS_PREVIOUS: previous } = options
  if (previous !== undefined && binding.names.includes(previous))
    return 'PHP_SESSIONS_PREVIOUS names it: the sessions move from there'
  if (named !== undefined) return `PHP_SESSIONS_SERVICE is ${named}`
  const isMeant = stores.some((store) => whyMeant(binding, store, options) !== undefined)
  if (isMeant && chosen !== undefined)
    return chosen.source === binding.source
      ? `${chosen.name} comes first`
      : `a service from ${chosen.source} is chosen, which comes before ${binding.source}`
  if (binding.whyNotByKind !== undefined) return binding.whyNotByKind
  if (kind === undefined) return 'nothing says that it is a Redis, Valkey or Memcached'
  const keys = joinWords(
    stores.map(({ searchKey }) => options[searchKey]),
    'or',
  )
  if (chosen !== undefined) return `its name does not contain ${keys}`
  return binding.isChosenByKind
    ? `it is not the only one, and its name does not contain ${keys}`
    : `its name does not contain ${keys}`
}
