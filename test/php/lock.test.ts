import { describe, expect, test } from 'vitest'
import { startRedis } from '../../lab/redis/server.ts'
import { startMemcached } from '../../lab/servers/memcached.ts'
import { configure } from '../support/php/configured.ts'
import { PHPS } from '../support/php/php.ts'
import { startPhpWeb } from '../support/php/web.ts'

const WORKERS = 10
const REQUESTS = 200
// Five milliseconds between reading and writing, as a page takes.
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
      { locking: 'on', isLossless: true },
      { locking: 'off', isLossless: false },
    ])(
      `${REQUESTS} requests of one visitor, ${WORKERS} at a time, locking $locking`,
      async ({ locking, isLossless }) => {
        const { server, service } = await start()
        const { ini } = configure(php, service, { PHP_SESSIONS_LOCKING: locking })
        const web = await startPhpWeb(php, ini, PAGE, WORKERS)
        try {
          const { url } = web
          const first = await fetch(url)
          const cookie = first.headers.getSetCookie()[0]?.split(';')[0] ?? ''
          expect(cookie).toMatch(/^PHPSESSIONID=/)
          const told = [await first.text()]
          const ask = async () => told.push(await (await fetch(url, { headers: { cookie } })).text())
          const waiting = Array.from({ length: REQUESTS }, (_, i) => i)
          await Promise.all(
            Array.from({ length: WORKERS }, async () => {
              while (waiting.pop() !== undefined) await ask()
            }),
          )
          await ask()
          const complaints = web.log().match(/.*(warning|error).*/gi) ?? []
          const twice = told.filter((n, i) => told.indexOf(n) !== i)
          if (!isLossless) expect(Number(told.at(-1))).toBeLessThan(REQUESTS)
          else
            expect({ last: told.at(-1), twice, complaints }).toEqual({
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
