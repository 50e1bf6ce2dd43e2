import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type RedisCluster, startRedisCluster } from '../../lab/redis-cluster.ts'
import { CANARY } from '../support/bindings.ts'
import { configure } from '../support/configured.ts'
import { PHPS, type PhpUnderTest } from '../support/php.ts'
import { startPhpWeb } from '../support/php-web.ts'

const VISITORS = 12
const PAUSE_MILLISECONDS = 100
const PAGE = '<?php session_start(); echo $_SESSION["n"] = ($_SESSION["n"] ?? 0) + 1;'

/** What became of the visitors' requests while something happened to the cluster. */
interface Story {
  readonly requests: number
  readonly failed: number
  /** From the first failure to the last. */
  readonly windowMilliseconds: number
  /** Visitors whose count started over. */
  readonly lost: number
}

/** Visitors ask one request after the other, all the time, until it has happened and a second more. */
async function watch(
  underTest: PhpUnderTest,
  cluster: RedisCluster,
  handler: string,
  happen: () => Promise<void>,
): Promise<Story> {
  const nodes = cluster.nodes.map(({ host, port }) => `${host}:${port}`).join(',')
  const credentials = { 'cluster.nodes': nodes, password: CANARY }
  const service = { name: 'redis-sessions', credentials }
  const { ini } = configure(underTest, service, { PHP_SESSIONS_HANDLER: handler })
  const web = await startPhpWeb(underTest, ini, PAGE, VISITORS)
  onTestFinished(web.stop)
  const failures: number[] = []
  let requests = 0
  let isOver = false
  const visit = async (): Promise<boolean> => {
    let cookie = ''
    let told = 0
    let isLost = false
    while (!isOver) {
      requests++
      try {
        const response = await fetch(web.url, { headers: { cookie }, signal: AbortSignal.timeout(20_000) })
        const count = Number(await response.text())
        // A browser takes the cookie of an error page, too.
        cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie
        if (!response.ok || !(count > 0)) throw new Error(`status ${response.status}`)
        isLost ||= count === 1 && told > 1
        told = count
      } catch {
        failures.push(Date.now())
      }
      await sleep(PAUSE_MILLISECONDS)
    }
    return isLost
  }
  const visitors = Array.from({ length: VISITORS }, visit)
  await sleep(1_000)
  await happen()
  await sleep(1_000)
  isOver = true
  const lost = (await Promise.all(visitors)).filter(Boolean).length
  const windowMilliseconds = failures.length === 0 ? 0 : Math.max(...failures) - Math.min(...failures)
  return { requests, failed: failures.length, windowMilliseconds, lost }
}

const HANDLERS = ['native', 'managed']

describe.each(PHPS)('%s', (name, underTest) => {
  test.each(HANDLERS)(
    'no session is lost when a master dies; with the native handler requests fail until a replica has taken over: %s',
    async (handler) => {
      const cluster = await startRedisCluster({ password: CANARY })
      onTestFinished(cluster.stop)
      const story = await watch(underTest, cluster, handler, async () => {
        const [master] = cluster.masters()
        if (master === undefined) throw new Error('a cluster has masters')
        cluster.kill(master)
        await cluster.untilOk()
      })
      console.log(`${name}, ${handler}: a master killed: ${JSON.stringify(story)}`)
      expect(story.lost).toBe(0)
      expect(story.requests).toBeGreaterThan(story.failed)
      // Each waits for the new master, unless that takes more than eight seconds.
      if (handler === 'managed') expect(story.failed).toBeLessThanOrEqual(VISITORS)
    },
  )

  test.each(HANDLERS)(
    'no request fails and no session is lost while slots move under load: %s',
    async (handler) => {
      const cluster = await startRedisCluster({ password: CANARY, replicas: 0 })
      onTestFinished(cluster.stop)
      const story = await watch(underTest, cluster, handler, async () => {
        const [from, to] = cluster.masters()
        if (from === undefined || to === undefined) throw new Error('a cluster has several masters')
        const slots = Array.from({ length: 400 }, (_, i) => i).filter(
          (slot) => cluster.slotOwner(slot) === from,
        )
        await cluster.migrateSlots(slots, from, to)
      })
      console.log(`${name}, ${handler}: slots moved: ${JSON.stringify(story)}`)
      expect(story).toMatchObject({ failed: 0, lost: 0 })
    },
  )
})
