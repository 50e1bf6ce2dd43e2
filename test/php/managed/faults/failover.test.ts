import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CANARY } from '../../../../lab/bindings.ts'
import { until } from '../../../../lab/processes/until.ts'
import { type ClusterOptions, startRedisCluster } from '../../../../lab/redis/cluster.ts'
import type { Redis } from '../../../../lab/redis/options.ts'
import { startSentinels } from '../../../../lab/redis/sentinel.ts'
import { stress } from '../../../support/php/load/stress.ts'
import { PHPS } from '../../../support/php/php.ts'

async function startGroup() {
  const group = await startSentinels({ password: CANARY, sentinelPassword: CANARY, keeps: true })
  onTestFinished(group.stop)
  const credentials = {
    master_name: group.masterName,
    password: CANARY,
    sentinel_password: CANARY,
    sentinels: group.sentinels.map(({ host, port }) => ({ host, port })),
  }
  return { group, credentials, replicated: { servers: group.servers, ownerOf: group.master } }
}

async function startCluster(options: ClusterOptions = {}) {
  const cluster = await startRedisCluster({ password: CANARY, keeps: true, ...options })
  onTestFinished(cluster.stop)
  const nodes = cluster.nodes.map(({ host, port }) => `${host}:${port}`).join(',')
  const slotOf = (session: string) =>
    Number(cluster.cli('CLUSTER', 'KEYSLOT', `PHPREDIS_CLUSTER_SESSION:${session}`))
  const ownerOf = (session: string) => cluster.slotOwner(slotOf(session))
  return {
    cluster,
    slotOf,
    ownerOf,
    credentials: { 'cluster.nodes': nodes, password: CANARY },
    replicated: { servers: cluster.nodes, ownerOf },
  }
}

/** Waits until a former master is a replica; then it closes all connections. */
const untilReplica = (old: Redis) =>
  until('the old master to follow the new one', () => {
    try {
      return old.cli('INFO', 'replication').includes('role:slave')
    } catch {
      return false
    }
  })

/** The only reason to refuse: what a request has read was lost with the old master. */
const LATE = /the changes of this request are not kept$|nobody knows whether its changes are kept$/
const exceptLate = (causes: readonly string[]) => causes.filter((cause) => !LATE.test(cause))

describe.each(PHPS)('%s', (_name, php) => {
  describe('Sentinel', () => {
    test('the handler loses no acknowledged update, and mixes no sessions up, when the master is killed', async () => {
      const { group, ...store } = await startGroup()
      const causes = await stress({ name: 'Sentinel, master killed', php, ...store }, async ({ bound }) => {
        group.killMaster()
        await group.untilNewMaster()
        // The workers share what they know, although the directory belongs to root.
        expect(readFileSync(join(bound.stateDirectory(), 'php-sessions-state.json'), 'utf8')).toContain(
          '"master"',
        )
      })
      // Each request waits for the new master.
      expect(exceptLate(causes)).toEqual([])
    })

    test('the handler loses no acknowledged update when the master freezes, and thaws after its replacement', async () => {
      const { group, ...store } = await startGroup()
      const causes = await stress({ name: 'Sentinel, master frozen', php, ...store }, async () => {
        const old = group.killMaster('SIGSTOP')
        await group.untilNewMaster()
        old.signal('SIGCONT')
        await untilReplica(old)
      })
      expect(exceptLate(causes)).toEqual([])
    })

    test('the handler loses no acknowledged update when the Sentinels are told to change the master', async () => {
      const { group, ...store } = await startGroup()
      const causes = await stress({ name: 'Sentinel, planned', php, ...store }, async () => {
        const old = group.master()
        group.sentinels[0]?.cli('SENTINEL', 'FAILOVER', group.masterName)
        // It takes about ten seconds, in which the old master accepts updates that will be lost.
        await untilReplica(old)
      })
      expect(exceptLate(causes)).toEqual([])
    })
  })

  describe('Cluster', () => {
    test.each(['SIGKILL', 'SIGSTOP'] as const)(
      'the handler loses no acknowledged update when %s stops a master',
      async (signal) => {
        const { cluster, ownerOf, ...store } = await startCluster()
        const what = signal === 'SIGKILL' ? 'killed' : 'frozen'
        const causes = await stress(
          { name: `Cluster, master ${what}`, php, ...store },
          async ({ shared }) => {
            const old = ownerOf(shared)
            cluster.kill(old, signal)
            await cluster.untilOk()
            if (signal === 'SIGKILL') return
            await sleep(1_000)
            old.signal('SIGCONT')
            await untilReplica(old)
          },
        )
        expect(exceptLate(causes)).toEqual([])
      },
    )

    test('the handler loses no acknowledged update when a replica is told to take over', async () => {
      const { cluster, ownerOf, ...store } = await startCluster()
      const causes = await stress({ name: 'Cluster, planned', php, ...store }, async ({ shared }) => {
        const old = ownerOf(shared)
        const replica = cluster.nodes[cluster.nodes.indexOf(old) + 3]
        replica?.cli('CLUSTER', 'FAILOVER')
        await untilReplica(old)
      })
      expect(causes).toEqual([])
    })

    test('the handler loses no acknowledged update when slots move there and back', async () => {
      const { cluster, slotOf, ownerOf, replicated: _, ...store } = await startCluster({ replicas: 0 })
      const causes = await stress({ name: 'Cluster, slots', php, ...store }, async ({ shared, load }) => {
        const from = ownerOf(shared)
        const to = cluster.masters().find((node) => node !== from)
        if (to === undefined) throw new Error('a cluster has several masters')
        const slots = load
          .sessions()
          .map(slotOf)
          .filter((slot) => cluster.slotOwner(slot) === from)
        for (let i = 0; i < 3; i++) {
          await cluster.migrateSlots(slots, from, to)
          await sleep(300)
          await cluster.migrateSlots(slots, to, from)
          await sleep(300)
        }
      })
      expect(causes).toEqual([])
    })
  })
})
