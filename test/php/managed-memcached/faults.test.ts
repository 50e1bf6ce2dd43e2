import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { showsCanary } from '../../../lab/bindings.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { until } from '../../../lab/processes/until.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { type Memcached, type MemcachedOptions, startMemcached } from '../../../lab/servers/memcached.ts'
import { fill, fillBacklog } from '../../support/php/full-memcached.ts'
import { configureManaged, storeFileOf } from '../../support/php/managed.ts'
import { MEMCACHED_SERVERS, serviceOf } from '../../support/php/managed-memcached.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'
import { startPhpWeb, visitFirst } from '../../support/php/web.ts'

/** A hang; the time of each answer is printed. */
const LIMIT_MILLISECONDS = 20_000

const PAGE = `<?php
  if (isset($_GET['catch'])) { set_exception_handler(fn () => print('caught')); set_error_handler(fn () => true); }
  session_start(); $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;
  if (isset($_GET['big'])) $_SESSION['big'] = str_repeat('x', 1_500_000);
  while (isset($_GET['until']) && !file_exists($_GET['until'])) { usleep(1000); clearstatcache(); }
  echo 'served ', $_SESSION['n'];`

const UNAVAILABLE = {
  status: 503,
  retryAfter: '5',
  cookies: [],
  text: 'Service temporarily unavailable. Please try again in a few seconds.\n',
}

async function start(underTest: PhpUnderTest, options: MemcachedOptions = {}, env = {}) {
  const server = await startMemcached(options)
  onTestFinished(server.stop)
  const { service, client } = serviceOf(server, options)
  const web = await startPhpWeb(
    underTest,
    `${configureManaged(underTest, service, env)}log_errors=1\n`,
    PAGE,
    1,
  )
  onTestFinished(web.stop)
  return { server, client, ...(await visitFirst(web, LIMIT_MILLISECONDS)) }
}

/** Another program at the server's port. */
async function replace(server: Memcached, options: MemcachedOptions): Promise<Memcached> {
  await server.stop()
  const other = await startMemcached({ ...options, at: server })
  onTestFinished(other.stop)
  return other
}

interface Fault {
  readonly make: (server: Memcached, which: MemcachedOptions) => unknown
  readonly cause: RegExp
}

const login = { username: 'app', password: 'another' }

/** What can happen to each kind of server. */
const FAULTS: Readonly<Record<string, Fault>> = {
  'a closed port': { make: (server) => server.stop(), cause: /Connection refused/ },
  'a frozen server, the worker is connected': {
    make: (server) => server.signal('SIGSTOP'),
    cause: /no answer for 2 seconds/,
  },
  'a frozen server, the worker connects anew': {
    make: async (server, which) => (await replace(server, which)).signal('SIGSTOP'),
    cause: /no answer for [\d.]+ seconds/,
  },
  'a swallowed SYN': {
    make: async (server, which) => {
      const other = await replace(server, { ...which, more: `${which.more ?? ''} -b 1`.trim() })
      other.signal('SIGSTOP')
      await fillBacklog(other)
    },
    cause: /timed out/,
  },
  'a server that asks for another login': {
    make: (server) => replace(server, { sasl: login }),
    cause: /the server refuses the login|the server asks for a login, and the binding has none/,
  },
}

describe.each(PHPS)('%s', (_name, underTest) => {
  describe.each(MEMCACHED_SERVERS)('%s', (_server, which) => {
    test.each(Object.entries(FAULTS))(
      '%s is a status 503 and one line in the log, which has the cause and not the password',
      async (fault, { make, cause }) => {
        const { server, ask, logged } = await start(underTest, which)
        await make(server, which)
        const began = Date.now()
        expect(await ask()).toEqual(UNAVAILABLE)
        console.log(`${_server}, ${fault}: ${(Date.now() - began) / 1000} s`)
        await until('a line in the log', () => logged().length > 0)
        const said = /php-sessions: the session store cannot be used: 127\.0\.0\.1:\d+: /
        expect(logged()).toEqual([expect.stringMatching(said)])
        expect(logged()[0]).toMatch(cause)
        // Also when the app handles errors itself, and for a new visitor.
        expect(await ask('?catch', '')).toEqual(UNAVAILABLE)
        await until('another line in the log', () => logged().length > 1)
        expect(logged()).toHaveLength(2)
        expect(logged().filter(showsCanary)).toEqual([])
      },
    )

    test('a session that is larger than the server takes is a status 503, and the earlier session stays', async () => {
      const { ask, logged } = await start(underTest, which)
      expect(await ask('?big')).toEqual(UNAVAILABLE)
      await until('a line in the log', () => logged().length > 0)
      expect(logged()).toEqual([
        expect.stringMatching(
          /: the session is larger than the server takes .*; the earlier session is kept$/,
        ),
      ])
      expect(await ask()).toMatchObject({ status: 200, text: 'served 2' })
    })

    test('a server that is restarted in the middle of a page keeps the session of that page', async () => {
      const { server, ask, logged } = await start(underTest, which)
      const go = join(makeScratch('page'), 'go')
      const page = ask(`?until=${go}`)
      await sleep(300)
      const again = await replace(server, which)
      writeFileSync(go, '')
      expect(await page).toMatchObject({ status: 200, text: 'served 2' })
      expect(await ask()).toMatchObject({ status: 200, text: 'served 3' })
      expect(logged()).toEqual([])
      await again.stop()
      expect((await ask()).status).toBe(503)
    })

    test('a server that is gone or frozen in the middle of a page is a status 503', async () => {
      const { server, ask, logged } = await start(underTest, which)
      for (const isFrozen of [true, false]) {
        const go = join(makeScratch('page'), 'go')
        const page = ask(`?until=${go}`)
        await sleep(300)
        if (isFrozen) server.signal('SIGSTOP')
        else await server.stop()
        writeFileSync(go, '')
        expect(await page).toEqual(UNAVAILABLE)
        if (isFrozen) server.signal('SIGCONT')
        await sleep(isFrozen ? 300 : 0)
      }
      await until('two lines in the log', () => logged().length > 1)
      expect(logged().map((line) => /no answer for 2 seconds|Connection refused/.test(line))).toEqual([
        true,
        true,
      ])
    })
  })

  test('a session that was frozen is there when the server thaws', async () => {
    const { server, ask } = await start(underTest)
    server.signal('SIGSTOP')
    expect((await ask()).status).toBe(503)
    server.signal('SIGCONT')
    expect(await ask()).toMatchObject({ status: 200, text: 'served 2' })
  })

  test('a full server is a status 503 with the cause', async () => {
    const { server, ask, logged } = await start(underTest, { more: '-M -m 2' })
    await fill(server)
    expect((await ask()).status).toBe(503)
    await until('a line in the log', () => logged().length > 0)
    expect(logged()[0]).toMatch(/: the server is full$/)
  })

  test('a Redis in place of a Memcached is a status 503 with the cause', async () => {
    const redis = await startRedis()
    onTestFinished(redis.stop)
    const web = await startPhpWeb(underTest, configureManaged(underTest, serviceOf(redis).service), PAGE, 1)
    onTestFinished(web.stop)
    expect((await fetch(web.url)).status).toBe(503)
    await until('a line in the log', () => web.log().includes('php-sessions: '))
    expect(web.log()).toMatch(/: the answer is not Memcached's$/m)
  })

  test('a login that the server does not know is a status 503', async () => {
    const { server, ask, logged } = await start(underTest, { sasl: { username: 'app', password: 'right' } })
    await replace(server, {})
    expect((await ask()).status).toBe(503)
    await until('a line in the log', () => logged().length > 0)
    expect(logged()[0]).toMatch(/: the server has no logins \(SASL\), and the binding has one$/)
  })

  test('PHP_SESSIONS_ON_STORE_ERROR=empty serves the page with a session that is not kept, and logs one line', async () => {
    const env = { PHP_SESSIONS_ON_STORE_ERROR: 'empty' }
    const { server, ask, logged } = await start(underTest, {}, env)
    await server.stop()
    expect(await ask()).toMatchObject({ status: 200, text: 'served 1' })
    await until('a line in the log', () => logged().length > 0)
    expect(logged()).toEqual([
      expect.stringMatching(/php-sessions: the session store cannot be used: .*refused/),
    ])
  })

  test('new credentials in the store file are used without a reload, once the old ones fail', async () => {
    const sasl = { username: 'app', password: 'right' }
    const server = await startMemcached({ sasl })
    onTestFinished(server.stop)
    const [{ service }, next] = [serviceOf(server, { sasl: login }), serviceOf(server, { sasl })]
    const ini = configureManaged(underTest, service)
    const web = await startPhpWeb(underTest, ini, PAGE, 1)
    onTestFinished(web.stop)
    expect((await fetch(web.url)).status).toBe(503)
    renameSync(storeFileOf(configureManaged(underTest, next.service)), storeFileOf(ini))
    expect(await (await fetch(web.url)).text()).toBe('served 1')
  })
})
