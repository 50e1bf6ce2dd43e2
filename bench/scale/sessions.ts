import { setTimeout as sleep } from 'node:timers/promises'
import { startRedis } from '../../lab/redis/server.ts'
import { infoNumber } from '../parts/info.ts'
import { shorten } from '../parts/medians.ts'
import { measureMemcachedSession } from './memcached.ts'
import type { Measure } from './results.ts'

const ID = 'PHPREDIS_SESSION:v2q0f6o7k1m3n5p7r9t1v3'
const BATCH = 4096

/**
 * The memory of a session of so many kilobytes, its name and its time to live included: fills a server with sessions as both
 * handlers write them, then gives it a replica.
 */
export const measureSessions: Measure<number> = async (kilobytes, run) => {
  const sessions = Math.min(65536, Math.floor(run.pick(16384, 98304) / kilobytes))
  const redis = await startRedis({ lines: ['client-output-buffer-limit replica 0 0 0'] })
  try {
    const before = infoNumber(redis, 'memory', 'used_memory')
    const bytesOf = (server: typeof redis) =>
      shorten((infoNumber(server, 'memory', 'used_memory') - before) / sessions)
    for (let first = 0; first < sessions; first += BATCH)
      await redis.batch(
        Array.from({ length: Math.min(BATCH, sessions - first) }, (_, i) => [
          'EVAL',
          "return redis.call('SET', KEYS[1], string.rep('x', ARGV[1]), 'EX', 1440)",
          '1',
          ID + String(first + i).padStart(8, '0'),
          String(kilobytes * 1024),
        ]),
      )
    const onMaster = bytesOf(redis)
    const replica = await startRedis({ replicaOf: redis })
    try {
      while (Number(replica.cli('DBSIZE')) !== sessions || !/:up/.test(linkOf(replica))) await sleep(100)
      await sleep(2000)
      return {
        'bytes on the master': [onMaster],
        'bytes on a replica': [bytesOf(replica)],
        'bytes on Memcached': [await measureMemcachedSession(kilobytes)],
      }
    } finally {
      await replica.stop()
    }
  } finally {
    await redis.stop()
  }
}

function linkOf(replica: { cli(...words: string[]): string }): string {
  return /^master_link_status:\w+/m.exec(replica.cli('INFO', 'replication'))?.[0] ?? ''
}
