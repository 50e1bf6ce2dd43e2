import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startMemcached } from '../../lab/memcached.ts'
import { startServer } from '../../lab/process.ts'
import { startRedis } from '../../lab/redis.ts'
import { renderIni } from '../../src/core/ini.ts'
import type { Service } from '../support/bindings.ts'
import { PHPS, type PhpUnderTest } from '../support/php.ts'
import { planFor } from '../support/plan.ts'

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
  describe.each(Object.entries(STORES))('%s', (extension, start) => {
    test.each([
      { locking: 'on', isLossless: true },
      { locking: 'off', isLossless: false },
    ])(
      `${REQUESTS} requests of one visitor, ${WORKERS} at a time, locking $locking`,
      async ({ locking, isLossless }) => {
        const { server, service } = await start()
        const web = await startWeb(php, extension, service, { PHP_SESSIONS_LOCKING: locking })
        try {
          const url = `http://127.0.0.1:${web.ports[0]}/`
          const first = await fetch(url)
          const cookie = first.headers.getSetCookie()[0]?.split(';')[0] ?? ''
          expect(cookie).toMatch(/^PHPSESSIONID=/)
          const waiting = Array.from({ length: REQUESTS }, (_, i) => i)
          await Promise.all(
            Array.from({ length: WORKERS }, async () => {
              while (waiting.pop() !== undefined) await (await fetch(url, { headers: { cookie } })).text()
            }),
          )
          const counted = Number(await (await fetch(url, { headers: { cookie } })).text())
          if (isLossless) expect(counted).toBe(REQUESTS + 2)
          else expect(counted).toBeLessThan(REQUESTS)
          if (isLossless) expect(web.log()).not.toMatch(/warning|error/i)
        } finally {
          await web.stop()
          await server.stop()
        }
      },
    )
  })
})

/** PHP's own web server with as many workers, and nothing but our ini. */
function startWeb(
  { php, loadExtensions }: PhpUnderTest,
  extension: string,
  service: Service,
  env: Record<string, string>,
) {
  const { directives } = planFor([service], env)
  return startServer({
    name: 'php',
    ports: 1,
    command: ({ directory, ports: [port] }) => {
      const root = join(directory, 'app')
      mkdirSync(root)
      writeFileSync(join(root, 'index.php'), PAGE)
      const extensions = loadExtensions('igbinary', 'msgpack', extension)
      writeFileSync(
        join(directory, 'php.ini'),
        `${extensions}display_errors=stderr\n${renderIni(directives)}`,
      )
      return php.cli(['-c', directory, '-S', `127.0.0.1:${port}`, '-t', root], {
        PATH: process.env.PATH,
        PHP_INI_SCAN_DIR: root,
        PHP_CLI_SERVER_WORKERS: String(WORKERS),
      })
    },
  })
}
