import { readUri } from '../core/address.ts'
import type { Binding, Json } from '../core/binding.ts'
import type { Store } from '../stores/store.ts'

/**
 * The store that a service is, by its own description; undefined where nothing in it says so.
 *
 * Its label, type and tags count first, then the scheme of a URI among its credentials, the names of its fields, and
 * its port. Words that brokers use for several stores, such as `key-value` or `caching`, do not count.
 */
export function kindOf(binding: Binding, stores: readonly Store[]): Store | undefined {
  const values = Object.values(binding.credentials)
  const words = [
    binding.kinds,
    values.flatMap(schemeOf),
    Object.keys(binding.credentials),
    values.flatMap(hostOf),
  ]
  for (const said of words) {
    const store = stores.find(({ kinds }) => kinds.some((kind) => said.some((word) => contains(word, kind))))
    if (store !== undefined) return store
  }
  return stores.find(({ ports }) =>
    ports.some((port) => binding.credentials.port === port || binding.credentials.port === String(port)),
  )
}

function contains(word: string, kind: string): boolean {
  return word.toLowerCase().includes(kind)
}

function schemeOf(value: Json): readonly string[] {
  const uri = typeof value === 'string' ? readUri(value) : undefined
  return uri === undefined ? [] : [uri.scheme]
}

/** Amazon's Memcached has an address for its configuration, `NAME.cfg.REGION…`; its Redis has none of that form. */
function hostOf(value: Json): readonly string[] {
  return typeof value === 'string' && /\.cfg\.[a-z0-9]+\.cache\.amazonaws\.com/.test(value)
    ? ['memcached']
    : []
}
