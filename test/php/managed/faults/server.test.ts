import { describe, expect, onTestFinished, test } from 'vitest'
import { CANARY, showsCanary } from '../../../../lab/bindings.ts'
import { until } from '../../../../lab/processes/until.ts'
import { STORE_FAULTS, type StoreFault, startBreakable } from '../../../../lab/redis/faults.ts'
import { startRedis } from '../../../../lab/redis/server.ts'
import { configureManaged } from '../../../support/php/managed.ts'
import { PHPS, type PhpUnderTest } from '../../../support/php/php.ts'
import { startPhpWeb, visitFirst } from '../../../support/php/web.ts'

/** Longer is a hang: whatever the store does, an answer takes a few seconds at most. */
const LIMIT_MILLISECONDS = 60_000

const PAGE = `<?php
  if (isset($_GET['catch'])) { set_exception_handler(fn () => print('caught')); set_error_handler(fn () => true); }
  session_start(); $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;
  $pid = (int) ($_GET['kill'] ?? 0);
  if ($pid > 0) exec("kill -9 $pid; while kill -0 $pid 2>/dev/null; do sleep 0.01; done");
  echo 'served ', $_SESSION['n'];
  if (isset($_GET['sent'])) ob_end_flush();`

async function start(
  underTest: PhpUnderTest,
  fault: StoreFault = { make: () => {} },
  env: Readonly<Record<string, string>> = {},
) {
  const store = await startBreakable(fault)
  onTestFinished(store.stop)
  const ini = configureManaged(underTest, store.service, env)
  const web = await startPhpWeb(underTest, `${ini}log_errors=1\n`, PAGE, 1)
  onTestFinished(web.stop)
  return { ...store, ...(await visitFirst(web, LIMIT_MILLISECONDS)) }
}

const UNAVAILABLE = {
  status: 503,
  retryAfter: '5',
  cookies: [],
  text: 'Service temporarily unavailable. Please try again in a few seconds.\n',
}

const causes = Object.entries(STORE_FAULTS).filter(([, { cause }]) => cause !== undefined)
const unnoticed = Object.entries(STORE_FAULTS).filter(([, { cause }]) => cause === undefined)

describe.each(PHPS)('%s', (_name, underTest) => {
  test.each(causes)(
    '%s is a status 503 and one line in the log, which has the cause and not the password',
    async (_fault, fault) => {
      const { ask, logged, ...store } = await start(underTest, fault)
      await store.break()
      expect(await ask()).toEqual(UNAVAILABLE)
      await until('a line in the log', () => logged().length > 0)
      expect(logged()).toEqual([
        expect.stringMatching(
          /php-sessions: the session store cannot be used: (127\.0\.0\.1|localhost):\d+: /,
        ),
      ])
      expect(logged()[0]).toMatch(fault.cause as RegExp)
      // Also when the app handles errors itself, and for a new visitor.
      expect(await ask('?catch', '')).toEqual(UNAVAILABLE)
      await until('another line in the log', () => logged().length > 1)
      expect(logged()).toHaveLength(2)
      expect(logged().filter(showsCanary)).toEqual([])
    },
  )

  test.each(unnoticed)('nobody notices %s', async (_fault, fault) => {
    const { ask, logged, ...store } = await start(underTest, fault)
    await store.break()
    expect(await ask()).toMatchObject({ status: 200, text: 'served 2' })
    await store.break()
    expect(await ask()).toMatchObject({ status: 200, text: 'served 3' })
    expect(logged()).toEqual([])
  })

  test.each([
    ['is a status 503 without output_buffering', '', UNAVAILABLE],
    ['is reported in the log where the page has been sent', '&sent', { status: 200, text: 'served 2' }],
  ])('a session that cannot be written %s', async (_name, sent, expected) => {
    const { redis, ask, logged } = await start(underTest)
    const pid = /process_id:(\d+)/.exec(redis.cli('INFO', 'server'))?.[1]
    expect(await ask(`?kill=${pid}${sent}`)).toMatchObject(expected)
    await until('a line in the log', () => logged().length > 0)
    expect(logged()).toEqual([
      expect.stringMatching(/php-sessions: the session store cannot be used: .*refused/),
    ])
  })

  test('PHP_SESSIONS_ON_STORE_ERROR=empty serves the page with a session that is not kept, and logs one line', async () => {
    const { redis, ask, logged } = await start(underTest, undefined, { PHP_SESSIONS_ON_STORE_ERROR: 'empty' })
    await redis.stop()
    expect(await ask()).toMatchObject({ status: 200, text: 'served 1' })
    await until('a line in the log', () => logged().length > 0)
    expect(logged()).toEqual([
      expect.stringMatching(/php-sessions: the session store cannot be used: .*refused/),
    ])
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
