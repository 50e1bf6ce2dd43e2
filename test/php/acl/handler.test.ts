import { describe, expect, onTestFinished, test } from 'vitest'
import { startRedisCluster } from '../../../lab/redis/cluster.ts'
import type { AccessOptions, Redis } from '../../../lab/redis/options.ts'
import { unsent } from '../../../lab/redis/sent.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import type { JsonObject } from '../../../src/core/binding.ts'
import { readOptions } from '../../../src/core/options.ts'
import { redisAcl } from '../../../src/stores/redis/acl.ts'
import { configure } from '../../support/php/configured.ts'
import { PREPEND } from '../../support/php/managed.ts'
import { PHPS } from '../../support/php/php.ts'
import { planFor } from '../../support/plan.ts'
import { SERVERS } from '../../support/servers.ts'

/** Everything that PHP can do with a session, except session_reset, in which phpredis waits for its own lock. */
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

/** Clients that are not logged in have no rights. */
const CLOSED = { user: { name: 'admin', password: 'admin' } }

const startServer = (path: string) => async (which: AccessOptions) => {
  const server = await startRedis({ ...which, ...CLOSED })
  return { nodes: [server], stop: server.stop, place: { uri: `redis://127.0.0.1:${server.port}${path}` } }
}

/** Three masters. */
const startCluster = async (which: AccessOptions) => {
  const { nodes, stop } = await startRedisCluster({ ...which, ...CLOSED, replicas: 0 })
  return {
    nodes,
    stop,
    place: { 'cluster.nodes': nodes.map(({ port }) => `127.0.0.1:${port}`).join() },
  }
}

interface Topology {
  readonly start: (which: AccessOptions) => Promise<{
    readonly nodes: readonly Redis[]
    readonly stop: () => Promise<void>
    readonly place: JsonObject
  }>
  readonly env: Readonly<Record<string, string>>
  /** Commands of the printed line that this test does not bring about. */
  readonly rarelyUsed: readonly string[]
}

const TOPOLOGIES: Readonly<Record<string, Topology>> = {
  'a single server, in a database, with a prefix': {
    start: startServer('/2'),
    env: { PHP_SESSIONS_PREFIX: 'shop:' },
    rarelyUsed: [],
  },
  'a single server, by the managed handler': {
    start: startServer(''),
    env: { PHP_SESSIONS_HANDLER: 'managed' },
    // After a failover.
    rarelyUsed: ['pttl'],
  },
  'a cluster': {
    start: startCluster,
    env: { PHP_SESSIONS_HANDLER: 'native' },
    // While a slot moves; and for strict mode and touching, which only later versions of phpredis have on a cluster.
    rarelyUsed: ['asking', 'exists', 'expire', 'set'],
  },
  'a cluster, by the managed handler': {
    start: startCluster,
    env: {},
    rarelyUsed: ['asking', 'echo', 'exists', 'pttl'],
  },
}

/** Makes the user of the printed line on each node, with its password, and clears the statistics. */
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

describe.each(PHPS)('%s', (_, underTest) => {
  describe.each(Object.entries(TOPOLOGIES))('%s', (_topology, { start, env, rarelyUsed }) => {
    test.each(SERVERS)(
      'the printed user has the rights that sessions need on %s, and no others',
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
        const native = configure(underTest, service, { ...env, PHP_SESSIONS_HANDLER: 'native' })
        expect(underTest.runPhp(native.ini, EVERYTHING).toString()).toBe('all done')
        if (planned.handler === 'managed') {
          expect(underTest.runPhp(ini, PREPEND + EVERYTHING).toString()).toBe('all done')
          const page = `${PREPEND} ob_start(); session_id('shared'); session_start(['use_strict_mode' => 0]); usleep(300000);`
          await Promise.all([1, 2, 3].map(() => underTest.startPhp(ini, page, {})))
        }
        expect(refused(nodes)).toEqual([])
        const permitted = [...line.matchAll(/\+(\S+)/g)].map(([, command = '']) => command)
        expect(unsent(permitted, nodes, which).filter((command) => !rarelyUsed.includes(command))).toEqual([])
      },
    )
  })
})
