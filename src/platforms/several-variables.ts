import type { Binding } from '../core/binding.ts'
import { identifyServer, type ServerIdentity } from './server-identity.ts'

/**
 * Makes one binding of variables that say the same, with all their names. The same server with another database stays
 * a binding that can be named, but leaves nothing undecided.
 */
export function mergeVariables(bindings: readonly Binding[]): readonly Binding[] {
  const merged: { binding: Binding; readonly identity: ServerIdentity }[] = []
  for (const binding of bindings) {
    const identity = identifyServer(binding)
    const onServer = merged.filter(({ identity: { server } }) => server === identity.server)
    const equal = onServer.find(({ identity: { database } }) => database === identity.database)
    if (equal !== undefined)
      equal.binding = { ...equal.binding, names: [...new Set([...equal.binding.names, ...binding.names])] }
    else {
      const first = onServer[0]?.binding.name
      const why = `it is another database of the server of ${first}`
      merged.push({ binding: first === undefined ? binding : notByKind(binding, why), identity })
    }
  }
  return merged.map(({ binding }) => binding)
}

/** What a platform makes for each of its services. The service in use has a plain name, too. */
const OF_PLATFORM = /^(HEROKU|DOKKU|SCALINGO)_(REDIS|VALKEY|MEMCACHED)/

/** Words in the names of URIs that are there for something else. */
const OTHER_PURPOSE =
  /(^|_)(CACHE|QUEUE|BROKER|MESSENGER|TRANSPORT|LOCK|CELERY|RESULT|RESQUE|SIDEKIQ|PUBSUB)(_|$)/

const KIND_IN_NAME = /REDIS|VALKEY|KEYVALUE|MEMCACH/

/** Variables that are chosen only if they are named, as long as others speak for themselves. */
export function chooseVariables(bindings: readonly Binding[]): readonly Binding[] {
  const groups = bindings.map(({ kinds: [group = ''] }) => group)
  return bindings.map((binding, i) => {
    const group = groups[i] ?? ''
    const [, , kind] = OF_PLATFORM.exec(group) ?? []
    if (kind !== undefined && groups.includes(kind))
      return notByKind(binding, `there is ${kind}_…, and this is only the platform's own name for a service`)
    if (isForElse(group) && !groups.every(isForElse))
      return notByKind(binding, 'by its name it is there for something else')
    return binding
  })
}

function isForElse(group: string): boolean {
  return OTHER_PURPOSE.test(group) && !KIND_IN_NAME.test(group)
}

function notByKind(binding: Binding, whyNotByKind: string): Binding {
  return { ...binding, isChosenByKind: false, whyNotByKind }
}
