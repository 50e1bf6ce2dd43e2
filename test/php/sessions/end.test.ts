import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CANARY, SESSION_KEY, type Service } from '../../../lab/bindings.ts'
import { startFpm } from '../../../lab/php/fpm.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { until } from '../../../lab/processes/until.ts'
import type { MemcachedOptions } from '../../../lab/servers/memcached.ts'
import { startResponder } from '../../../lab/servers/responder.ts'
import { makeMachine, run } from '../../support/doctor/machine.ts'
import { configure } from '../../support/php/configured.ts'
import { startClusterService, startRedisService } from '../../support/php/managed.ts'
import { serviceOf, startMemcachedService } from '../../support/php/managed-memcached.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'

type Env = Readonly<Record<string, string>>

const VISITORS = 12

/** Starts a php-fpm with pages of visitors, and a machine on which somebody runs php-sessions. */
async function startSite(php: PhpUnderTest, service: Service, env: Env) {
  const gates = makeScratch('gate')
  const [gate, taken] = [join(gates, 'open'), join(gates, 'taken')]
  const held = `touch('${taken}'); while (!file_exists('${gate}')) { usleep(1000); clearstatcache(); }`
  const pages = {
    login: `session_start(); $_SESSION['user_id'] = 42; echo 'in';`,
    other: `session_start(); $_SESSION['user_id'] = 7; echo 'in';`,
    who: `session_start(); $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1; echo 'user ', $_SESSION['user_id'] ?? 'nobody';`,
    hold: `session_start(); ${held} $_SESSION['n'] = 1; session_write_close(); echo 'held';`,
    change: `session_start(); ${held} session_regenerate_id(true); $_SESSION['n'] = 1; echo 'held';`,
    copy: `session_start(); ${held} $_SESSION['n'] = 1; session_regenerate_id(false); echo 'held';`,
  }
  const { ini } = configure(php, service, env)
  const fpm = await startFpm({
    php: php.php,
    ini: () => `${ini}output_buffering=4096\n`,
    pools: [{ workers: VISITORS }],
    env: {},
    pages,
  })
  onTestFinished(fpm.stop)
  const machine = await makeMachine({ php, services: [service], env })
  return {
    ask: fpm.ask,
    /** Asks for a page that takes the session and waits until `open`; returns when it has the session. */
    hold: async (page: string, cookie: string) => {
      const held = fpm.ask(page, cookie)
      // A test that fails does not wait for it.
      held.catch(() => {})
      await until('the session to be taken', () => existsSync(taken))
      return { ends: () => held }
    },
    open: () => writeFileSync(gate, ''),
    sessions: (...args: string[]) => run(machine, ['sessions', ...args]),
    login: async (page = 'login') => /PHPSESSIONID=[^;]+/.exec(await fpm.ask(page))?.[0] ?? '',
  }
}

const startServer = async (): Promise<Service> => (await startRedisService()).service
const startCluster = async (): Promise<Service> => (await startClusterService({ replicas: 0 })).service
const startCache = async (options: MemcachedOptions = {}): Promise<Service> =>
  (await startMemcachedService(options)).service

const MANAGED = { PHP_SESSIONS_HANDLER: 'managed' }
const NATIVE = { PHP_SESSIONS_HANDLER: 'native' }
const PAGES = ['hold', 'change', 'copy']
const WITH_LOCKS: readonly (readonly [string, () => Promise<Service>, Env, readonly string[]])[] = [
  ['the managed handler', startServer, MANAGED, PAGES],
  ['the managed handler on a cluster', startCluster, MANAGED, PAGES],
  // phpredis destroys a session without a look at its lock.
  ["PHP's own handler", startServer, NATIVE, ['hold', 'copy']],
]

describe.each(PHPS)('%s', (_name, php) => {
  test('encrypted sessions are shown, found by content, and ended, by id and by key', async () => {
    const env = { PHP_SESSIONS_ENCRYPTION_KEY: SESSION_KEY, PHP_SESSIONS_COMPRESSION: 'gzip' }
    const { ask, sessions, login } = await startSite(php, await startServer(), env)
    const [one, two, other] = [await login(), await login(), await login('other')]
    const idOf = (cookie: string) => cookie.split('=')[1] ?? ''
    const shown = await sessions('show', idOf(one), '--values')
    expect(shown.out).toMatch(/user_id.*42/s)
    expect((await sessions('end', idOf(one), '--yes')).status).toBe(0)
    expect(await ask('who', one)).toMatch(/user nobody$/)
    expect(await ask('who', two)).toMatch(/user 42$/)
    expect((await sessions('end', '--where', 'user_id=42', '--yes')).status).toBe(0)
    expect(await ask('who', two)).toMatch(/user nobody$/)
    expect(await ask('who', other)).toMatch(/user 7$/)
  })

  describe.each(WITH_LOCKS)('%s', (_handler, start, env, pages) => {
    test.each(pages)(
      'a request that has the session while it ends does not write it back: %s',
      async (page) => {
        const site = await startSite(php, await start(), env)
        const [cookie, other] = [await site.login(), await site.login('other')]
        const held = await site.hold(page, cookie)
        const waits = site.ask('who', cookie)
        await sleep(300)
        const { status, out } = await site.sessions('end', '--where', 'user_id=42', '--yes')
        expect({ status, out }).toEqual({ status: 0, out: '1 session ended\n' })
        // The request that waits gets its turn at once, without the session.
        expect(await waits).toMatch(/user nobody$/)
        site.open()
        await held.ends()
        expect(await site.ask('who', cookie)).toMatch(/user nobody$/)
        expect(await site.ask('who', other)).toMatch(/user 7$/)
        const none = await site.sessions('end', '--where', 'user_id=42', '--yes')
        expect(none.out).toBe('0 sessions ended\n')
      },
    )

    test('nor does any of many under load', async () => {
      const site = await startSite(php, await start(), env)
      const cookies = await Promise.all(Array.from({ length: VISITORS }, () => site.login()))
      let [isOver, hasEnded, pages] = [false, false, 0]
      const late: string[] = []
      const visit = async (cookie: string) => {
        while (!isOver) {
          const began = hasEnded
          const text = await site.ask('who', cookie)
          pages++
          if (began && text.includes('user 42')) late.push(text)
        }
      }
      const visits = [...cookies, ...cookies].map(visit)
      await until('pages', () => pages > 50)
      expect((await site.sessions('end', '--where', 'user_id=42', '--yes')).status).toBe(0)
      hasEnded = true
      const before = pages
      await until('more pages', () => pages > before + 200)
      isOver = true
      await Promise.all(visits)
      expect(late).toEqual([])
      expect((await site.sessions('end', '--where', 'user_id=42', '--yes')).out).toBe('0 sessions ended\n')
    })
  })

  test.each(PAGES)(
    'the managed handler on Memcached: a request that has the session while it ends does not write it back: %s',
    async (page) => {
      const site = await startSite(php, await startCache(), MANAGED)
      const [cookie, other] = [await site.login(), await site.login('other')]
      expect((await site.sessions()).out).toMatch(/^2 sessions in the service memcached-sessions/)
      const held = await site.hold(page, cookie)
      const { status, out, err } = await site.sessions('end', '--where', 'user_id=42', '--yes')
      expect({ status, out }).toEqual({ status: 0, out: '1 session ended\n' })
      expect(err).not.toContain('(sessions.returns)')
      site.open()
      expect(await held.ends()).toMatch(/^Status: 503/m)
      expect(await site.ask('who', cookie)).toMatch(/user nobody$/)
      expect(await site.ask('who', other)).toMatch(/user 7$/)
      expect((await site.sessions('end', '--where', 'user_id=42', '--yes')).out).toBe('0 sessions ended\n')
    },
  )

  test('a Memcached with a login lists no keys, which it says; one session is shown and ended by its id', async () => {
    const { ask, sessions, login } = await startSite(
      php,
      await startCache({ sasl: { username: 'app', password: CANARY } }),
      MANAGED,
    )
    const cookie = await login()
    const id = cookie.split('=')[1] ?? ''
    const listed = await sessions()
    expect(listed.status).toBe(1)
    expect(listed.err).toContain('Memcached lists its keys only without one')
    expect(listed.err).not.toContain(CANARY)
    expect((await sessions('show', id)).out).toMatch(/user_id +int/)
    for (const none of [
      `lock.${id}`,
      `prev.${id}`,
      `${id}\r\nflush_all`,
      `${id} ${id}`,
      '*',
      'a'.repeat(245),
      'a'.repeat(10_000),
    ])
      expect((await sessions('end', none, '--yes')).out).toBe('0 sessions ended\n')
    expect((await sessions('end', id, '--yes')).out).toBe('1 session ended\n')
    expect(await ask('who', cookie)).toMatch(/user nobody$/)
  })

  test('an earlier Memcached lists its keys in another way', async () => {
    const { server } = await startMemcachedService()
    let asked = 0
    const isFirst = (command: string) => command === 'LRU_CRAWLER' && asked++ % 2 === 0
    const earlier = await startResponder(
      (command) => (isFirst(command) ? 'BADCLASS invalid class id\r\n' : undefined),
      { behind: server.port },
    )
    onTestFinished(earlier.stop)
    const { sessions, login } = await startSite(php, serviceOf(earlier).service, MANAGED)
    await login()
    expect((await sessions()).out).toMatch(/^1 session in the service memcached-sessions/)
    expect(asked).toBe(2)
  })

  test("PHP's own handler: a request that gives its session a new id takes it along, which it says", async () => {
    const site = await startSite(php, await startServer(), NATIVE)
    const held = await site.hold('change', await site.login())
    const { out, err } = await site.sessions('end', '--all', '--yes')
    expect(out).toBe('1 session ended\n')
    expect(err).toContain('(sessions.returns)')
    site.open()
    await held.ends()
    expect((await site.sessions('end', '--where', 'user_id=42', '--yes')).out).toBe('1 session ended\n')
  })

  test.each([
    ['without locks', startServer, { ...MANAGED, PHP_SESSIONS_LOCKING: 'off' }],
    ["PHP's own handler on a cluster", startCluster, NATIVE],
    ["PHP's own handler on Memcached", startCache, NATIVE],
  ] as const)(
    'where a running request writes the session back, it says so: %s',
    async (_case, start, env) => {
      const site = await startSite(php, await start(), env)
      const cookie = await site.login()
      const held = await site.hold('hold', cookie)
      const { out, err } = await site.sessions('end', '--all', '--yes')
      expect(out).toBe('1 session ended\n')
      expect(err).toContain('(sessions.returns)')
      site.open()
      await held.ends()
      expect(await site.ask('who', cookie)).toMatch(/user 42$/)
    },
  )
})
