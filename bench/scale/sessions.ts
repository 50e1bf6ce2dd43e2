import { setTimeout as sleep } from 'node:timers/promises'
import { startRedis } from '../../lab/redis/server.ts'
import { infoNumber } from './info.ts'

/** The memory of a session in Redis, its name and its time to live included. */
export interface SessionCost {
  readonly kilobytes: number
  readonly sessions: number
  readonly bytes: number
  /** The same on the replica. */
  readonly replicaBytes: number
  /** What the first replica costs the master beside that: the backlog and the replica's buffer. */
  readonly replicationBytes: number
}

const ID = 'PHPREDIS_SESSION:v2q0f6o7k1m3n5p7r9t1v3'

/** Fills a server with sessions as both handlers write them, then gives it a replica. */
export async function measureSessions(kilobytes: number): Promise<SessionCost> {
  const sessions = Math.min(65536, Math.floor(98304 / kilobytes))
  const redis = await startRedis({ lines: ['client-output-buffer-limit replica 0 0 0'] })
  try {
    const memory = () => infoNumber(redis, 'memory', 'used_memory')
    const data = 'x'.repeat(kilobytes * 1024)
    const before = memory()
    for (let first = 0; first < sessions; first += 4096)
      await redis.batch(
        Array.from({ length: Math.min(4096, sessions - first) }, (_, i) => [
          'EVAL',
          "return redis.call('SET', KEYS[1], string.rep('x', ARGV[1]), 'EX', 1440)",
          '1',
          ID + String(first + i).padStart(8, '0'),
          String(data.length),
        ]),
      )
    const alone = memory()
    const replica = await startRedis({ replicaOf: redis })
    try {
      while (Number(replica.cli('DBSIZE')) !== sessions || !/:up/.test(linkOf(replica))) await sleep(100)
      await sleep(2000)
      return {
        kilobytes,
        sessions,
        bytes: (alone - before) / sessions,
        replicaBytes: (infoNumber(replica, 'memory', 'used_memory') - before) / sessions,
        replicationBytes: memory() - alone,
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
