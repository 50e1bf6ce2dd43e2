import { connect } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Service } from '../../lab/bindings.ts'
import { configureManaged, startRedisService } from '../support/php/managed.ts'
import { startMemcachedService } from '../support/php/managed-memcached.ts'
import { PHPS, type PhpUnderTest } from '../support/php/php.ts'
import { cookieOf, startPhpWeb } from '../support/php/web.ts'

const FIRST = 60
const LIFETIME = 1440

/** A page for each query: `?set` writes, and so on. */
const PAGE = `<?php
  if (isset($_GET['twice'])) { session_start(); $_SESSION['a'] = 1; session_write_close(); }
  session_start();
  if (isset($_GET['set']) || isset($_GET['twice'])) { $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1; }
  if (isset($_GET['change'])) { session_regenerate_id(true); }
  echo session_id();`

interface Store {
  readonly service: Service
  secondsOf(id: string): Promise<number>
}

const STORES: Readonly<Record<string, () => Promise<Store>>> = {
  Redis: async () => {
    const { redis, service } = await startRedisService()
    return { service, secondsOf: async (id) => Number(redis.cli('TTL', `PHPREDIS_SESSION:${id}`)) }
  },
  Memcached: async () => {
    const { server, service } = await startMemcachedService()
    return { service, secondsOf: (id) => askForSeconds(server.port, `memc.sess.key.${id}`) }
  },
}

/** What a Memcached says an item has to live, by its meta commands. */
async function askForSeconds(port: number, key: string): Promise<number> {
  const socket = connect(port, '127.0.0.1')
  socket.write(`mg ${key} t\r\n`)
  for await (const chunk of socket) {
    socket.destroy()
    return Number(/t(-?\d+)/.exec(String(chunk))?.[1])
  }
  throw new Error('no answer')
}

async function startSite(php: PhpUnderTest, store: Store, env: Readonly<Record<string, string>>) {
  const ini = configureManaged(php, store.service, { PHP_SESSIONS_LIFETIME: String(LIFETIME), ...env })
  const web = await startPhpWeb(php, ini, PAGE, 2)
  onTestFinished(web.stop)
  return async (query: string, cookie = '') => {
    const response = await fetch(`${web.url}?${query}`, { headers: { cookie } })
    const id = await response.text()
    return { cookie: cookieOf(response) || cookie, seconds: await store.secondsOf(id) }
  }
}

const about = (seconds: number, asked: number) => seconds > asked - 30 && seconds <= asked

describe.each(PHPS)('%s', (_php, php) => {
  describe.each(Object.entries(STORES))('%s', (_store, start) => {
    test('a new session lives for the first lifetime, whatever its first page does with it', async () => {
      const visit = await startSite(php, await start(), { PHP_SESSIONS_FIRST_LIFETIME: String(FIRST) })
      for (const query of ['', 'set', 'twice', 'set&change'])
        expect((await visit(query)).seconds, query).toSatisfy((seconds: number) => about(seconds, FIRST))
    })

    test.each(['', 'set', 'change'])(
      'when its visitor comes a second time it lives as long as any: ?%s',
      async (query) => {
        const visit = await startSite(php, await start(), { PHP_SESSIONS_FIRST_LIFETIME: String(FIRST) })
        const { cookie } = await visit('set')
        const again = await visit(query, cookie)
        expect(again.seconds).toSatisfy((seconds: number) => about(seconds, LIFETIME))
        expect((await visit('set', again.cookie)).seconds).toSatisfy((seconds: number) =>
          about(seconds, LIFETIME),
        )
      },
    )

    test.each([{}, { PHP_SESSIONS_FIRST_LIFETIME: '0' }, { PHP_SESSIONS_FIRST_LIFETIME: '999999' }])(
      'a new session lives as long as any with %j',
      async (env) => {
        const visit = await startSite(php, await start(), env)
        expect((await visit('set')).seconds).toSatisfy((seconds: number) => about(seconds, LIFETIME))
      },
    )
  })
})
