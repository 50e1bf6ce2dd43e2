import { describe, expect, test } from 'vitest'
import { runInParallel } from '../../lab/load.ts'
import { startRedis } from '../../lab/redis/server.ts'
import { startMemcached } from '../../lab/servers/memcached.ts'
import { configure } from '../support/php/configured.ts'
import { PHPS } from '../support/php/php.ts'
import { cookieOf, startPhpWeb } from '../support/php/web.ts'

const WORKERS = 10
const REQUESTS = 200
// Five milliseconds between reading and writing, as a page needs.
const PAGE =
  '<?php session_start(); $n = $_SESSION["n"] ?? 0; usleep(5000); $_SESSION["n"] = $n + 1; echo $n + 1;'

const STORES = {
  redis: async () => {
    const server = await startRedis()
    return {
      server,
      service: { name: 'redis-sessions', credentials: { host: server.host, port: server.port } },
    }
  },
  memcached: async () => {
    const server = await startMemcached()
    return {
      server,
      service: { name: 'memcached-sessions', credentials: { servers: `127.0.0.1:${server.port}` } },
    }
  },
}

describe.each(PHPS)('%s', (_, php) => {
  describe.each(Object.entries(STORES))('%s', (_store, start) => {
    test.each([
      ['on', 'loses no update'],
      ['off', 'loses updates'],
    ])(
      `PHP_SESSIONS_LOCKING=%s %s, with ${REQUESTS} requests of one visitor, ${WORKERS} at a time`,
      async (locking) => {
        const { server, service } = await start()
        const { ini } = configure(php, service, { PHP_SESSIONS_LOCKING: locking })
        const web = await startPhpWeb(php, ini, PAGE, WORKERS)
        try {
          const { url } = web
          const first = await fetch(url)
          const cookie = cookieOf(first)
          expect(cookie).toMatch(/^PHPSESSIONID=/)
          const counts = [await first.text()]
          const ask = async () => counts.push(await (await fetch(url, { headers: { cookie } })).text())
          await runInParallel(REQUESTS, WORKERS, ask)
          await ask()
          const complaints = web.log().match(/.*(warning|error).*/gi) ?? []
          const twice = counts.filter((n, i) => counts.indexOf(n) !== i)
          if (locking === 'off') expect(Number(counts.at(-1))).toBeLessThan(REQUESTS)
          else
            expect({ last: counts.at(-1), twice, complaints }).toEqual({
              last: String(REQUESTS + 2),
              twice: [],
              complaints: [],
            })
        } finally {
          await web.stop()
          await server.stop()
        }
      },
    )
  })
})
