import type { Finding } from '../../../core/finding.ts'
import type { MemcachedAnswer } from '../../../php/answers.ts'
import type { Check } from '../../check.ts'
import { serverName } from '../../server-name.ts'

type MemcachedServerAnswer = MemcachedAnswer['servers'][number]

function memcachedCheck(
  rest: Pick<Check, 'id' | 'meaning'>,
  title: (servers: readonly MemcachedServerAnswer[]) => string | undefined,
  find: (
    server: MemcachedServerAnswer,
    name: string,
    isManaged: boolean,
    quote: (said: string) => string,
  ) => Omit<Finding, 'from'> | undefined,
): Check {
  return {
    ...rest,
    needs: ['auth.login'],
    run: ({ plan, ask, quote }) => {
      const { planned } = plan
      if (planned?.store.name !== 'memcached') return undefined
      const { servers = [] } = ask('memcached')
      const places = planned.servers
      const said = title(servers)
      if (said === undefined) return undefined
      return {
        title: said,
        findings: servers.flatMap((server, i): Finding[] => {
          const found = find(server, serverName(places[i]), planned.handler === 'managed', quote)
          return found === undefined ? [] : [{ ...found, from: places[i]?.from ?? planned.service }]
        }),
      }
    },
  }
}

/** Whether a server, or the proxy in front of it, does what the managed handler sends. */
export const handlerCommands = memcachedCheck(
  {
    id: 'memcached.commands',
    meaning: 'does the server do all that the managed handler needs?',
  },
  ([first]) => (first?.handler ? 'the server does all that the managed handler needs' : undefined),
  ({ handler }, name, _, quote) =>
    handler === null || handler.command === null
      ? undefined
      : {
          id: 'memcached.refused',
          level: 'error',
          title: `${name} does not do what the managed handler needs: ${handler.command}: ${quote(handler.said)}`,
          fix: 'set PHP_SESSIONS_HANDLER=native, or bind the Memcached itself in place of a proxy',
        },
)

const USUAL_ITEM = 1_048_576

/** Whether a session of the usual size fits: php-memcached reports SUCCESS for one that does not, and deletes the earlier one. */
export const itemSize = memcachedCheck(
  { id: 'memcached.items', meaning: 'how large may a session be?' },
  (servers) =>
    `a session may be up to ${kilobytes(Math.min(...servers.map(({ itemSize: size }) => size ?? USUAL_ITEM)))} large`,
  ({ itemSize: size }, name, isManaged) =>
    size === null || size >= USUAL_ITEM
      ? undefined
      : {
          id: 'memcached.item-size',
          level: 'warn',
          title: `${name} stores no session larger than ${kilobytes(size)}, where 1 MB is usual: ${isManaged ? 'a page with a larger one ends with a status 503, and the earlier session stays' : 'PHP says "error saving session to memcached: SUCCESS" and loses the session'}`,
          fix: 'start memcached with -I 1m, or keep less in the session',
        },
)

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1024)} KB`
}

/** Whether there is room for the connections of all workers; an earlier check finds a full Memcached. */
export const connections = memcachedCheck(
  { id: 'memcached.connections', meaning: 'is there room for more connections?' },
  ([first]) =>
    first?.connections && first.maxConnections
      ? `${first.connections} of ${first.maxConnections} connections are used`
      : 'Memcached does not report its connections',
  ({ connections: used, maxConnections: most }, name) =>
    used === null || most === null || used < most * 0.8
      ? undefined
      : {
          id: 'memcached.clients',
          level: 'warn',
          title: `${used} of ${most} connections of ${name} are used: it will soon refuse more`,
          fix: 'start memcached with a larger -c, or use fewer workers of php-fpm (pm.max_children), or fewer instances',
        },
)

/** Whether Memcached keeps each session until it expires. */
export const evictions = memcachedCheck(
  { id: 'memcached.memory', meaning: 'does Memcached keep sessions until they expire?' },
  ([first]) =>
    first?.evictions === undefined || first.evictions === null
      ? 'Memcached does not report its evictions'
      : `Memcached ${first.version ?? ''} has evicted nothing`,
  ({ evictions: evicted }, name) =>
    evicted === null || evicted === 0
      ? undefined
      : {
          id: 'memcached.eviction',
          level: 'warn',
          title: `${name} has evicted ${evicted} items since it started: users are logged out when its memory is full`,
          fix: 'use a larger plan, or an instance for sessions only',
        },
)
