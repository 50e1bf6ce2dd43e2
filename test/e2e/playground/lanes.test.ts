import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { memcachedClient } from '../../../lab/servers/memcached-client.ts'
import type { Lane } from '../../../playground/engine/lane.ts'
import { LANE_WORDS, readLanes } from '../../../playground/engine/lane-words.ts'
import { Playground } from '../../../playground/engine/playground.ts'
import { startOneRedis } from '../../../playground/stores/redis.ts'
import { valkeyProgram } from '../../../playground/stores/start.ts'

if (!existsSync(join(import.meta.dirname, '../../../dist/php-sessions.mjs')))
  throw new Error('there is no program to test: run scripts/build')

const storeOf = (word: string) => word.split(':')[1] ?? 'redis'
const stores = [...new Set(LANE_WORDS.map(storeOf))]

/** php-memcached 3 refuses what php_buildpack 4 writes: `PERSISTENT=` in the save_path. */
const BROKEN = ['peers:memcached']

/** All ways on the stores that php_buildpack knows; on the others the one that scenes do not play everywhere. */
const wordsOf = (store: string) =>
  LANE_WORDS.filter((word) => storeOf(word) === store).filter(
    (word) => ['redis', 'memcached'].includes(store) || word.startsWith('managed'),
  )

test.for(stores)(
  'lanes on %s can be clicked, and the store has the session',
  { timeout: 300_000 },
  async (store, { skip }) => {
    const valkey = valkeyProgram()
    if (store === 'valkey' && 'unavailable' in valkey) return skip(valkey.unavailable)
    const bound = store === 'given' ? await startOneRedis('redis', { name: 'given' }) : undefined
    if (bound !== undefined) onTestFinished(bound.stop)
    const playground = new Playground({ given: bound?.services() })
    onTestFinished(() => playground.stop())
    const words = wordsOf(store)
    const lanes = readLanes(words, 1, false)
    if (typeof lanes === 'string') throw new Error(lanes)
    await playground.open(lanes)
    for (const [at, lane] of playground.lanes.entries()) {
      const word = words[at] ?? ''
      const ada = lane.shopper('Ada')
      for (const action of ['login', 'add', 'visit'] as const) await ada.click(action)
      const last = await ada.click('look')
      if (BROKEN.includes(word)) {
        expect(last.outcome, word).not.toBe('known')
        continue
      }
      expect({ ...last, log: lane.log() }, word).toMatchObject({ outcome: 'known' })
      expect(ada.last(), word).toMatchObject({ user: 'Ada', updates: 3, books: 1 })
      expect(ada.ledger, word).toEqual({ acknowledged: 3, lost: 0, loggedOut: 0 })
      if (lane.options.way !== 'files') expect(await holds(lane, bound?.keys), word).toBe(true)
    }
  },
)

/** Whether the store has the session of the cookie. Memcached with a login lists no keys, so it is asked for this one. */
async function holds(lane: Lane, keys = lane.store?.keys): Promise<boolean> {
  const id = lane.shopper('Ada').cookies.get('PHPSESSIONID') ?? 'none'
  if (keys !== undefined) return keys().some((key) => key.endsWith(`SESSION:${id}`) || key.endsWith(`${id}}`))
  const { memcached } = JSON.parse(lane.store?.services() ?? '{}')
  const { servers, ...sasl } = memcached[0].credentials
  const client = memcachedClient(Number(servers.split(':')[1]), { sasl })
  const found = await Promise.all(
    ['memc.sess.key.', 'memc.sess.'].map((prefix) => client.get(`${prefix}${id}`)),
  )
  return found.some((item) => item !== undefined)
}
