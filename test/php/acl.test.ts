import { describe, expect, onTestFinished, test } from 'vitest'
import { startRedisCluster } from '../../lab/redis/cluster.ts'
import type { AccessOptions, Redis } from '../../lab/redis/options.ts'
import { startRedis } from '../../lab/redis/server.ts'
import { readOptions } from '../../src/core/options.ts'
import { redisAcl } from '../../src/stores/redis/acl.ts'
import { configure } from '../support/php/configured.ts'
import { PREPEND } from '../support/php/managed.ts'
import { PHPS } from '../support/php/php.ts'
import { planFor } from '../support/plan.ts'
import { SERVERS } from '../support/servers.ts'

/** All that PHP can do with a session, but session_reset, for which phpredis waits for its own lock. */
const EVERYTHING = `
ob_start();
set_error_handler(function ($level, $message) { fwrite(STDERR, $message); exit(1); });
$ways = [
  fn () => $_SESSION['a'] = 1,
  fn () => null,
  fn () => session_regenerate_id(true),
  fn () => session_regenerate_id(false),
  fn () => session_abort(),
  fn () => session_gc(),
];
foreach ($ways as $way) { session_start(); $way(); session_write_close(); }
session_start(['lazy_write' => 0]); session_write_close();
session_start(['read_and_close' => true]);
session_id(session_create_id('x-')); session_start(); session_write_close();
session_start(); session_destroy();
fwrite(STDOUT, 'all done');`

const USER = { name: 'app', password: 'pw' }

/** Whoever is not logged in has no rights. */
const CLOSED = { user: { name: 'admin', password: 'admin' } }

/** Three masters. */
const startCluster = async (which: AccessOptions) => {
  const { nodes, stop } = await startRedisCluster({ ...which, ...CLOSED, replicas: 0 })
  return {
    nodes,
    stop,
    place: { 'cluster.nodes': nodes.map(({ port }) => `127.0.0.1:${port}`).join() },
  }
}

/** Gives the user of the printed line its password, on each node, and forgets what was refused before. */
function permit(nodes: readonly Redis[], line: string): void {
  for (const node of nodes) {
    const [command = '', ...words] = line.replace('>PASSWORD', `>${USER.password}`).split(' ')
    expect(node.cli(command, ...words)).toBe('OK')
    node.cli('ACL', 'LOG', 'RESET')
    node.cli('CONFIG', 'RESETSTAT')
  }
}

const refused = (nodes: readonly Redis[]) =>
  nodes.map((node) => node.cli('ACL', 'LOG')).filter((log) => log.trim() !== '')

const sentTo = (node: Redis) =>
  [...node.cli('INFO', 'commandstats').matchAll(/^cmdstat_([^:]+):calls=[1-9]/gm)].map(([, name]) => name)

describe.each(PHPS)('%s', (_, underTest) => {
  describe.each([
    {
      topology: 'a single server, in a database, with a prefix',
      start: async (which: AccessOptions) => {
        const server = await startRedis({ ...which, ...CLOSED })
        return { nodes: [server], stop: server.stop, place: { uri: `redis://127.0.0.1:${server.port}/2` } }
      },
      env: { PHP_SESSIONS_PREFIX: 'shop:' },
      rarely: [] as string[],
    },
    {
      topology: 'a single server, by the managed handler',
      start: async (which: AccessOptions) => {
        const server = await startRedis({ ...which, ...CLOSED })
        return { nodes: [server], stop: server.stop, place: { uri: `redis://127.0.0.1:${server.port}` } }
      },
      env: { PHP_SESSIONS_HANDLER: 'managed' },
      // After a failover.
      rarely: ['pttl'],
    },
    {
      topology: 'a cluster',
      start: startCluster,
      env: {},
      // While a slot moves; by the strict mode and the touching that only later versions of phpredis have there.
      rarely: ['asking', 'exists', 'expire', 'set'],
    },
    {
      topology: 'a cluster, by the managed handler',
      start: startCluster,
      env: { PHP_SESSIONS_HANDLER: 'managed' },
      rarely: ['asking', 'echo', 'exists', 'pttl'],
    },
  ])('$topology', ({ start, env, rarely }) => {
    test.each(SERVERS)(
      'the printed user has what sessions need on %s, and no more',
      async (_server, which) => {
        const { nodes, stop, place } = await start(which)
        onTestFinished(stop)
        const credentials = { ...place, username: USER.name, password: USER.password }
        const service = { name: 'redis-sessions', credentials }
        const { planned } = planFor([service], env)
        if (planned === undefined) throw new Error('the service is bound')
        const { options } = readOptions({ env, file: { value: {}, from: '' } })
        const line = redisAcl(planned.endpoint, planned.handler, options)
        const { ini } = configure(underTest, service, env)

        permit(nodes, line)
        expect(underTest.runPhp(ini, EVERYTHING).toString()).toBe('all done')
        if (planned.handler === 'managed') {
          expect(underTest.runPhp(ini, PREPEND + EVERYTHING).toString()).toBe('all done')
          const page = `${PREPEND} ob_start(); session_id('shared'); session_start(['use_strict_mode' => 0]); usleep(300000);`
          await Promise.all([1, 2, 3].map(() => underTest.startPhp(ini, page, {})))
        }
        expect(refused(nodes)).toEqual([])
        const permitted = [...line.matchAll(/\+(\S+)/g)].map(([, command = '']) => command)
        const sent = nodes.flatMap((node) => sentTo(node))
        expect(permitted.filter((command) => !sent.includes(command) && !rarely.includes(command))).toEqual(
          [],
        )
      },
    )
  })
})
