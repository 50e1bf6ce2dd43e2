import type { Binding } from '../core/binding.ts'
import { identifyServer, type ServerIdentity } from './server-identity.ts'

/**
 * Makes one binding of variables for the same server, with all their names. Another database of that server stays a
 * binding that can be named, but does not make the choice ambiguous.
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
      const why = `it is another database on the server of ${first}`
      merged.push({ binding: first === undefined ? binding : notByKind(binding, why), identity })
    }
  }
  return merged.map(({ binding }) => binding)
}

/** The variables that a platform sets for each of its services. The service in use also has a plain name. */
const OF_PLATFORM = /^(HEROKU|DOKKU|SCALINGO)_(REDIS|VALKEY|MEMCACHED)/

/** Words in the names of URIs with another purpose. */
const OTHER_PURPOSE =
  /(^|_)(CACHE|QUEUE|BROKER|MESSENGER|TRANSPORT|LOCK|CELERY|RESULT|RESQUE|SIDEKIQ|PUBSUB)(_|$)/

const KIND_IN_NAME = /REDIS|VALKEY|KEYVALUE|MEMCACH/

/** Variables that are chosen only by name, as long as there are others. */
export function chooseVariables(bindings: readonly Binding[]): readonly Binding[] {
  const groups = bindings.map(({ kinds: [group = ''] }) => group)
  return bindings.map((binding, i) => {
    const group = groups[i] ?? ''
    const [, , kind] = OF_PLATFORM.exec(group) ?? []
    if (kind !== undefined && groups.includes(kind))
      return notByKind(binding, `there is ${kind}_…, and this is only the platform's own name for a service`)
    if (isForElse(group) && !groups.every(isForElse))
      return notByKind(binding, 'its name says that it is for something else')
    return binding
  })
}

function isForElse(group: string): boolean {
  return OTHER_PURPOSE.test(group) && !KIND_IN_NAME.test(group)
}

function notByKind(binding: Binding, whyNotByKind: string): Binding {
  return { ...binding, isChosenByKind: false, whyNotByKind }
}
