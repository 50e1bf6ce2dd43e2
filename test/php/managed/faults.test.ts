import { describe, expect, onTestFinished, test } from 'vitest'
import { type Redis, startRedis } from '../../../lab/redis.ts'
import { until } from '../../../lab/until.ts'
import { CANARY } from '../../support/bindings.ts'
import { configureManaged } from '../../support/managed.ts'
import { PHPS, type PhpUnderTest } from '../../support/php.ts'
import { startPhpWeb } from '../../support/php-web.ts'

/** What can be wrong with a store: makes it so, and gives the words that the log must have. */
const FAULTS: Readonly<Record<string, (redis: Redis) => RegExp | Promise<RegExp>>> = {
  'a closed port': async (redis) => {
    await redis.stop()
    return /Connection refused/
  },
  'another password': async (redis) => {
    // Connections that are kept stay logged in, and so does the one that ends them.
    await redis.batch([
      ['ACL', 'SETUSER', 'default', 'resetpass', '>another'],
      ['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'],
    ])
    return /WRONGPASS/
  },
  'a full server': (redis) => {
    redis.cli('CONFIG', 'SET', 'maxmemory', '1')
    return /OOM/
  },
  'a replica': (redis) => {
    redis.cli('REPLICAOF', '127.0.0.1', '1')
    return /READONLY|MASTERDOWN/
  },
  'a frozen server': (redis) => {
    redis.signal('SIGSTOP')
    return /read error on connection|socket error|timed out/i
  },
  'a user without the rights': (redis) => {
    redis.cli('ACL', 'SETUSER', 'default', '-evalsha', '-eval')
    return /NOPERM/
  },
}

const PAGE = `<?php
  if (isset($_GET['catch'])) { set_exception_handler(fn () => print('caught')); set_error_handler(fn () => true); }
  session_start(); $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;
  if (isset($_GET['kill'])) exec('kill -9 ' . (int) $_GET['kill']);
  echo 'served ', $_SESSION['n'];`

async function start(underTest: PhpUnderTest, env: Readonly<Record<string, string>> = {}) {
  const redis = await startRedis({ password: CANARY })
  onTestFinished(async () => {
    redis.signal('SIGCONT')
    await redis.stop()
  })
  const credentials = { host: redis.host, port: redis.port, password: CANARY }
  const ini = configureManaged(underTest, { name: 'redis-sessions', credentials }, env)
  const web = await startPhpWeb(underTest, `${ini}log_errors=1\n`, PAGE, 4)
  onTestFinished(web.stop)
  const first = await fetch(web.url)
  expect(await first.text()).toBe('served 1')
  const cookie = first.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  const ask = async (query = '') => {
    const response = await fetch(`${web.url}${query}`, { headers: { cookie } })
    const { status, headers } = response
    return {
      status,
      retryAfter: headers.get('retry-after'),
      cookies: headers.getSetCookie(),
      text: await response.text(),
    }
  }
  /** What PHP and we have logged since the start; not who asked for what. */
  const said = () =>
    web
      .log()
      .split('\n')
      .filter((line) => /php-sessions|PHP |Warning|Fatal|#\d/.test(line) && !/Development Server/.test(line))
  return { redis, ask, said }
}

const UNAVAILABLE = {
  status: 503,
  retryAfter: '5',
  cookies: [],
  text: 'Service temporarily unavailable. Please try again in a few seconds.\n',
}

describe.each(PHPS)('%s', (_name, underTest) => {
  test.each(Object.entries(FAULTS))(
    '%s is a status 503 and one line in the log, without the password',
    async (_fault, make) => {
      const { redis, ask, said } = await start(underTest)
      const words = await make(redis)
      expect(await ask()).toEqual(UNAVAILABLE)
      await until('a line in the log', () => said().length > 0)
      expect(said()).toEqual([
        expect.stringMatching(/php-sessions: the session store cannot be used: 127\.0\.0\.1:\d+: /),
      ])
      expect(said()[0]).toMatch(words)
      // Whatever the app does with errors.
      expect(await ask('?catch')).toEqual(UNAVAILABLE)
      await until('another line in the log', () => said().length > 1)
      expect(said()).toHaveLength(2)
      expect(said().join('')).not.toContain(CANARY.slice(0, 6))
    },
  )

  test('what cannot be written any more is said, also where the page has been sent', async () => {
    const { redis, ask, said } = await start(underTest)
    const pid = /process_id:(\d+)/.exec(redis.cli('INFO', 'server'))?.[1]
    expect((await ask(`?kill=${pid}`)).text).toBe('served 2')
    await until('a line in the log', () => said().length > 0)
    expect(said()).toEqual([
      expect.stringMatching(/php-sessions: the session store cannot be used: .*refused/),
    ])
  })

  test('PHP_SESSIONS_ON_STORE_ERROR=empty goes on with a session that is not kept, and one line', async () => {
    const { redis, ask, said } = await start(underTest, { PHP_SESSIONS_ON_STORE_ERROR: 'empty' })
    await redis.stop()
    expect(await ask()).toMatchObject({ status: 200, text: 'served 1' })
    await until('a line in the log', () => said().length > 0)
    expect(said()).toEqual([
      expect.stringMatching(/php-sessions: the session store cannot be used: .*refused/),
    ])
  })

  test('connections that are cut and scripts that are forgotten are not noticed', async () => {
    const { redis, ask, said } = await start(underTest)
    redis.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    expect((await ask()).text).toBe('served 2')
    redis.cli('SCRIPT', 'FLUSH')
    expect((await ask()).text).toBe('served 3')
    expect(said()).toEqual([])
  })

  test('a password that the binding does not have is named', async () => {
    const redis = await startRedis({ password: CANARY })
    onTestFinished(redis.stop)
    const credentials = { host: redis.host, port: redis.port }
    const ini = configureManaged(underTest, { name: 'redis-sessions', credentials })
    const web = await startPhpWeb(underTest, ini, PAGE, 2)
    onTestFinished(web.stop)
    expect((await fetch(web.url)).status).toBe(503)
    await until('a line in the log', () => web.log().includes('php-sessions: '))
    expect(web.log()).toMatch(
      /php-sessions: the session store cannot be used: .*NOAUTH the server asks for a password, and the binding has none/,
    )
  })

  test('a server that is started again is used again', async () => {
    const { redis, ask } = await start(underTest)
    await redis.stop()
    expect((await ask()).status).toBe(503)
    const again = await startRedis({ password: CANARY, at: redis })
    onTestFinished(again.stop)
    expect(await ask()).toMatchObject({ status: 200, text: 'served 1' })
  })
})
