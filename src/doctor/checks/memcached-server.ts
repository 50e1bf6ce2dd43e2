import type { Finding } from '../../core/finding.ts'
import type { MemcachedAnswer } from '../../php/answers.ts'
import type { Check } from '../check.ts'
import { nameOf } from '../server-name.ts'

type MemcachedServerAnswer = MemcachedAnswer['servers'][number]

function memcachedCheck(
  rest: Pick<Check, 'id' | 'meaning'>,
  title: (servers: readonly MemcachedServerAnswer[]) => string,
  find: (server: MemcachedServerAnswer, name: string) => Omit<Finding, 'from'> | undefined,
): Check {
  return {
    ...rest,
    needs: ['auth.login'],
    run: ({ plan, ask }) => {
      const { planned } = plan
      if (planned?.store.name !== 'memcached') return undefined
      const { servers = [] } = ask('memcached')
      const places = planned.servers
      return {
        title: title(servers),
        findings: servers.flatMap((server, i): Finding[] => {
          const found = find(server, nameOf(places[i]))
          return found === undefined ? [] : [{ ...found, from: places[i]?.from ?? planned.service }]
        }),
      }
    },
  }
}

const USUAL_ITEM = 1_048_576

/** Whether a session of the usual size fits: php-memcached says SUCCESS when one does not. */
export const itemSize = memcachedCheck(
  { id: 'memcached.items', meaning: 'how large may a session be?' },
  (servers) =>
    `a session may have ${kilobytes(Math.min(...servers.map(({ itemSize: size }) => size ?? USUAL_ITEM)))}`,
  ({ itemSize: size }, name) =>
    size === null || size >= USUAL_ITEM
      ? undefined
      : {
          id: 'memcached.item-size',
          level: 'warn',
          title: `${name} takes no session larger than ${kilobytes(size)}, where 1 MB is usual: PHP says "error saving session to memcached: SUCCESS" and loses it`,
          fix: 'have memcached started with -I 1m, or keep less in the session',
        },
)

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1024)} KB`
}

/** Whether sessions stay until they are over. */
export const evictions = memcachedCheck(
  { id: 'memcached.memory', meaning: 'does it keep sessions until they are over?' },
  (servers) => `Memcached ${servers[0]?.version ?? ''} has evicted nothing`,
  ({ evictions: evicted }, name) =>
    evicted === null || evicted === 0
      ? undefined
      : {
          id: 'memcached.eviction',
          level: 'warn',
          title: `${name} has evicted ${evicted} items since its start: users are logged out when it is full`,
          fix: 'use a larger plan, or an instance for sessions alone',
        },
)
