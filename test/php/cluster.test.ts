import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CANARY, clusterService } from '../../lab/bindings.ts'
import { type RedisCluster, startRedisCluster } from '../../lab/redis/cluster.ts'
import { makeVisitor } from '../../lab/web/visitor.ts'
import { configure } from '../support/php/configured.ts'
import { PAGES, startLoad } from '../support/php/load/visitors.ts'
import { PHPS, type PhpUnderTest } from '../support/php/php.ts'
import { startPhpWeb } from '../support/php/web.ts'

const VISITORS = 6
const PAGE = `<?php if ($_SERVER['REQUEST_URI'] === '/all') { ${PAGES.all} } else { ${PAGES.count} }`

/** Keeps visitors asking while something happens to the cluster, and for a second more. */
async function loadDuring(underTest: PhpUnderTest, cluster: RedisCluster, happen: () => Promise<void>) {
  const { ini } = configure(underTest, clusterService(cluster.nodes), { PHP_SESSIONS_HANDLER: 'native' })
  const web = await startPhpWeb(underTest, ini, PAGE, VISITORS)
  onTestFinished(web.stop)
  const load = startLoad(() => {
    // Like a browser, it keeps the cookie of an error page, too.
    const visitor = makeVisitor(web.url)
    return async (page) => (await visitor.get(`/${page}`)).body
  }, VISITORS)
  await sleep(1_000)
  await happen()
  await sleep(1_000)
  const { requests, failed, startedOver, longestMilliseconds } = await load.stop()
  const times = failed.map(({ at }) => at)
  const windowMilliseconds = times.length === 0 ? 0 : Math.max(...times) - Math.min(...times)
  return { requests, failed: failed.length, startedOver, longestMilliseconds, windowMilliseconds }
}

// managed/faults/failover.test.ts has the same for the managed handler.
describe.each(PHPS)('%s, the native handler', (name, underTest) => {
  test('no session is lost when a master dies, and requests fail until a replica has taken over', async () => {
    const cluster = await startRedisCluster({ password: CANARY })
    onTestFinished(cluster.stop)
    const story = await loadDuring(underTest, cluster, async () => {
      const [master] = cluster.masters()
      if (master === undefined) throw new Error('a cluster has masters')
      cluster.kill(master)
      await cluster.untilOk()
    })
    console.log(`${name}: a master killed: ${JSON.stringify(story)}`)
    expect(story.startedOver).toBe(0)
    expect(story.requests).toBeGreaterThan(story.failed)
  })

  test('no request fails and no session is lost while slots move under load', async () => {
    const cluster = await startRedisCluster({ password: CANARY, replicas: 0 })
    onTestFinished(cluster.stop)
    const story = await loadDuring(underTest, cluster, async () => {
      const [from, to] = cluster.masters()
      if (from === undefined || to === undefined) throw new Error('a cluster has several masters')
      const slots = Array.from({ length: 400 }, (_, i) => i).filter(
        (slot) => cluster.slotOwner(slot) === from,
      )
      await cluster.migrateSlots(slots, from, to)
    })
    console.log(`${name}: slots moved: ${JSON.stringify(story)}`)
    expect(story).toMatchObject({ failed: 0, startedOver: 0 })
  })
})
