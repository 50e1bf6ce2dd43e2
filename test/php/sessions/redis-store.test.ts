import { describe, expect, onTestFinished, test } from 'vitest'
import { CANARY, clusterService, type Service, showsCanary } from '../../../lab/bindings.ts'
import { startRedisCluster } from '../../../lab/redis/cluster.ts'
import type { AccessOptions } from '../../../lab/redis/options.ts'
import { startSentinels } from '../../../lab/redis/sentinel.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { makeCertificates } from '../../../lab/servers/certificates.ts'
import { type Machine, makeMachine } from '../../support/doctor/machine.ts'
import { PHPS } from '../../support/php/php.ts'
import { SERVERS } from '../../support/servers.ts'
import { askStore } from '../../support/sessions.ts'

interface Place {
  readonly service: Service
  readonly prefix: string
  readonly env?: Readonly<Record<string, string>>
  cli(...args: string[]): string
}

const service = (credentials: object): Service => ({
  name: 'redis-sessions',
  credentials: { ...credentials },
})

const PLACES: Readonly<Record<string, (which: AccessOptions) => Promise<Place>>> = {
  'one server': async (which) => {
    const { host, port, cli, stop } = await startRedis({ ...which, password: CANARY })
    onTestFinished(stop)
    return { service: service({ host, port, password: CANARY }), prefix: 'PHPREDIS_SESSION:', cli }
  },
  'a database of a server, over TLS, with a prefix': async (which) => {
    const tls = makeCertificates()
    const { tlsPort, cli, stop } = await startRedis({ ...which, password: CANARY, tls })
    onTestFinished(stop)
    onTestFinished(tls.remove)
    const credentials = { uri: `rediss://:${encodeURIComponent(CANARY)}@localhost:${tlsPort}/3` }
    return {
      service: service(credentials),
      env: { SSL_CERT_FILE: tls.ca, PHP_SESSIONS_PREFIX: 'shop.a_b-c:' },
      prefix: 'shop.a_b-c:',
      cli: (...args) => cli('-n', '3', ...args),
    }
  },
  Sentinels: async (which) => {
    const group = await startSentinels({ ...which, password: CANARY, sentinelPassword: `${CANARY}2` })
    onTestFinished(group.stop)
    const sentinels = group.sentinels.map(({ host, port }) => ({ host, port }))
    return {
      service: service({
        sentinels,
        master_name: group.masterName,
        password: CANARY,
        sentinel_password: `${CANARY}2`,
      }),
      prefix: 'PHPREDIS_SESSION:',
      cli: (...args) => group.master().cli(...args),
    }
  },
  'a cluster': async (which) => {
    const cluster = await startRedisCluster({ ...which, password: CANARY, replicas: 0 })
    onTestFinished(cluster.stop)
    return { service: clusterService(cluster.nodes), prefix: 'PHPREDIS_CLUSTER_SESSION:', cli: cluster.cli }
  },
}

/** Fills a store with 1,202 sessions, more than a step of SCAN, and with what else may be beside them. */
function fill({ prefix, cli }: Place, machine: Machine): readonly string[] {
  const ids = Array.from({ length: 1200 }, (_, i) => `id${i}`)
  const added = askStore(
    machine,
    `for ($i = 0; $i < 1200; $i++) { $all["id$i"] = ['n|i:' . strlen("id$i") . ';', 1440]; }
     return ['added' => count($store->add($all)), 'again' => $store->add($all)];`,
  )
  expect(added).toMatchObject({ added: 1200, again: [] })
  cli('SET', `${prefix}42`, '', 'EX', '100')
  cli('SET', `${prefix}kept`, 'a|s:1:"\u0001";')
  cli('HSET', `${prefix}a-hash`, 'a', 'b')
  cli('SET', 'another', 'app')
  for (const end of ['_LOCK', '_DONE_0123456789abcdef']) cli('SET', `${prefix}id1${end}`, 'x')
  cli('ZADD', `${prefix}id1_WAIT`, '1', 'x')
  cli('LPUSH', `${prefix}id1_NEXT`, '1')
  cli('SET', `{${prefix}id1}_LOCK`, 'x')
  return [...ids, '42', 'kept'].sort()
}

describe.each(PHPS)('%s', (_php, php) => {
  const isFirst = php === PHPS[0]?.[1]
  // The protocol is the same for both; one server says enough of the other PHP and of Valkey.
  const cases = Object.entries(PLACES).flatMap(([name, start]) =>
    SERVERS.filter(([, which]) => isFirst || which.program === undefined || name === 'one server').map(
      ([server, which]) => [`${name}, ${server}`, start, which] as const,
    ),
  )

  test.each(cases)(
    'a program has the sessions of the store and nothing else: %s',
    async (_name, start, which) => {
      const place = await start(which)
      const machine = await makeMachine({ php, services: [place.service], env: place.env ?? {} })
      const ids = fill(place, machine)
      const listed = askStore(
        machine,
        `foreach ($store->keys() as $keys) { foreach ($keys as $key) { $all[$key] = 1; } }
       return ['keys' => array_map(strval(...), array_keys($all)), 'total' => $store->total()];`,
      )
      expect((listed.keys as string[]).toSorted()).toEqual(ids)
      expect(listed.total).toBeGreaterThanOrEqual(ids.length)

      // Keys of the handlers are no sessions, whoever asks for them.
      const of = `['id1', '42', 'kept', 'gone', 'a-hash', 'id1_LOCK', 'id1_DONE_0123456789abcdef', "a\\n", '{a}']`
      expect(
        askStore(machine, `return ['read' => $store->read(${of}), 'sizes' => $store->measure(${of})];`),
      ).toMatchObject({
        read: {
          id1: ['n|i:3;', expect.closeTo(1430, -2)],
          42: ['', expect.closeTo(90, -2)],
          kept: ['a|s:1:"\u0001";', null],
        },
        sizes: { id1: [6, expect.closeTo(1430, -2)], 42: [0, expect.closeTo(90, -2)], kept: [10, null] },
      })

      const changed = askStore(
        machine,
        `$added = $store->add(['id1' => ['other', 9], 'new' => ["\\0\\xff", 50.5], '7' => ['', null], 'a-hash' => ['x', 9]]);
       return ['added' => $added, 'deleted' => [$store->delete('id2'), $store->delete('gone')]];`,
      )
      expect(changed.added).toEqual(['new', '7'])
      expect(changed.deleted).toEqual([true, false])
      expect(place.cli('GET', `${place.prefix}id1`)).toBe('n|i:3;')
      expect(place.cli('STRLEN', `${place.prefix}new`)).toBe('2')
      expect(Number(place.cli('TTL', `${place.prefix}new`))).toBeGreaterThan(40)
      expect(place.cli('TTL', `${place.prefix}7`)).toBe('-1')
      expect(place.cli('EXISTS', `${place.prefix}id2`)).toBe('0')
    },
  )
})

test('what keeps a program from the store is named, without a secret', async () => {
  const server = await startRedis({ password: CANARY })
  onTestFinished(server.stop)
  server.cli('ACL', 'SETUSER', 'app', 'on', `>${CANARY}x`, '~*', '+get')
  const credentials = { host: server.host, port: server.port, user: 'app', password: `${CANARY}x` }
  const machine = await makeMachine({ services: [service(credentials)] })
  const list = 'foreach ($store->keys() as $keys) { return $keys; } return [];'
  const refused = askStore(machine, list)
  expect(refused).toMatchObject({
    id: 'sessions.store',
    title: expect.stringMatching(/NOPERM .*'scan'.*explain --acl/),
  })
  await server.stop()
  const gone = askStore(machine, list)
  expect(gone).toMatchObject({ id: 'sessions.store', title: expect.stringContaining('Connection refused') })
  expect(showsCanary(JSON.stringify([refused, gone]))).toBe(false)
})
