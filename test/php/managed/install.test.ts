import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CANARY } from '../../../lab/bindings.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { configure } from '../../support/php/configured.ts'
import { COUNT, startVisiting, visitPage } from '../../support/php/load/visits.ts'
import {
  configureManaged,
  PREPEND,
  startClusterService,
  startRedisService,
} from '../../support/php/managed.ts'
import { PHPS_AND_STORES_ONCE } from '../../support/php/managed-stores.ts'
import { PHPS } from '../../support/php/php.ts'
import { startPhpWeb } from '../../support/php/web.ts'

describe.each(PHPS_AND_STORES_ONCE)('%s', (_name, underTest, start) => {
  test('the app’s own prepended file runs after that of php-sessions, in the global scope', async () => {
    const { service } = await start()
    const file = join(makeScratch('app'), 'prepend.php')
    writeFileSync(file, `<?php $theirs = 'their prepend'; return 1;`)
    const ini = `${configureManaged(underTest, service)}php_sessions.auto_prepend_file="${file}"\n`
    const { texts } = await visitPage(underTest, ini, `${COUNT} echo " $theirs";`, 2)
    expect(texts).toEqual(['1 user their prepend', '2 user their prepend'])
  })

  test('when another prepended file replaces that of php-sessions later, the native handler keeps no session, and has no password to show', async () => {
    const { service } = await start({ hasLogin: true })
    const ini = `${configureManaged(underTest, service)}auto_prepend_file=\nsession.use_strict_mode=0\n`
    const web = await startPhpWeb(underTest, ini, `<?php ${COUNT}`, 2)
    onTestFinished(web.stop)
    const { log } = web
    // PHP's own web server may end without an answer after the exception of phpredis.
    const headers = { cookie: 'PHPSESSIONID=known' }
    const ask = () => fetch(web.url, { headers }).then((response) => response.text(), String)
    // That of Memcached goes on with an empty session.
    for (const text of [await ask(), await ask()]) expect(text).not.toMatch(/^(\d redis|2)/)
    expect(log()).not.toContain(CANARY)
  })

  test('php -r runs no prepended file, so the native handler keeps its session', async () => {
    const { service } = await start({ hasLogin: false })
    const ini = configureManaged(underTest, service)
    const printed = underTest.runPhp(ini, 'session_start(); echo session_module_name();')
    expect(printed.toString()).toBe(service.name === 'redis-sessions' ? 'redis' : 'memcached')
  })

  test('if the start did not know of session.auto_start, the managed handler restarts the session', async () => {
    const { service } = await start({ hasLogin: false })
    const ini = `${configureManaged(underTest, service)}session.auto_start=1\n`
    const page = `echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1, ' ', ini_get('session.save_handler');`
    const { texts, log } = await visitPage(underTest, ini, page, 3)
    expect(texts).toEqual(['1 user', '2 user', '3 user'])
    expect(log()).not.toMatch(/notice|warning/i)
  })

  test('an app that wraps or replaces the handler keeps its sessions, where the store has no password', async () => {
    const { service, keys } = await start({ hasLogin: false })
    const native = service.name === 'redis-sessions' ? 'redis' : 'memcached'
    const wrap = `class Proxy extends SessionHandler { public function read($id): string|false { return parent::read($id); } }
      session_set_save_handler(new Proxy(), true); ${COUNT}`
    const set = `ini_set('session.save_handler', '${native}'); ${COUNT}`
    for (const page of [wrap, set]) {
      const { texts } = await visitPage(underTest, configureManaged(underTest, service), page, 3)
      expect(texts.map((text) => text.split(' ')[0])).toEqual(['1', '2', '3'])
    }
    expect(await keys()).toHaveLength(2)
  })

  test('the handler needs no functions that hosters forbid', async () => {
    const { service } = await start()
    const forbidden = 'disable_functions=ini_set,opcache_invalidate,exec,set_time_limit,getmypid\n'
    const { texts, log } = await visitPage(
      underTest,
      `${configureManaged(underTest, service)}${forbidden}`,
      COUNT,
      2,
    )
    expect(texts).toEqual(['1 user', '2 user'])
    expect(log()).not.toMatch(/php-sessions|warning|error/i)
  })

  test('a status 503 has nothing of the page, except cookies other than that of the session', async () => {
    const { service, stop } = await start()
    const page = `header('Cache-Control: public, max-age=99'); header('ETag: "x"'); header('Content-Type: image/png');
      setcookie('theme', 'dark'); ob_start(); echo 'secret'; ${COUNT}`
    const web = await startPhpWeb(underTest, configureManaged(underTest, service), `<?php ${page}`, 2)
    onTestFinished(web.stop)
    await stop()
    const { status, headers } = await fetch(web.url, { headers: { cookie: 'PHPSESSIONID=known' } })
    expect(status).toBe(503)
    expect(headers.getSetCookie()).toEqual(['theme=dark'])
    expect(['cache-control', 'etag', 'content-type', 'retry-after'].map((name) => headers.get(name))).toEqual(
      ['no-store', null, 'text/plain; charset=utf-8', '5'],
    )
  })
})

describe.each(PHPS)('%s', (_name, underTest) => {
  test('the native and the managed handler read the sessions of each other, on one server and on a cluster', async () => {
    const { service } = await startRedisService()
    const { service: clustered } = await startClusterService()
    for (const bound of [service, clustered]) {
      const quiet = 'session.use_cookies=0\nsession.use_strict_mode=0\n'
      const native = `${configure(underTest, bound, { PHP_SESSIONS_HANDLER: 'native' }).ini}${quiet}`
      const managed = `${configureManaged(underTest, bound)}${quiet}`
      const page = `ob_start(); session_id('both_1'); ${COUNT}`
      const texts = [native, managed, native, managed].map((ini) =>
        String(underTest.runPhp(ini, ini === managed ? PREPEND + page : page)),
      )
      expect(texts.map((text) => text.split(' ')[0])).toEqual(['1', '2', '3', '4'])
      expect(texts.map((text) => text.split(' ')[1] === 'user')).toEqual([false, true, false, true])
    }
  })

  test('phpinfo() and ini_get() show no part of the login', async () => {
    const user = { name: 'app-user', password: CANARY }
    const { service } = await startRedisService({ user }, { username: user.name })
    const page = `phpinfo(); echo ini_get('session.save_path'); print_r(ini_get_all()); ${COUNT}`
    const { texts } = await visitPage(
      underTest,
      configureManaged(underTest, service),
      `ob_start(); ${page}`,
      1,
    )
    expect(texts[0]).toMatch(/1 user$/)
    expect(texts[0]).not.toMatch(/CANARY|app-user|auth(\[|%5B|=)/)
    expect(texts[0]).not.toContain(CANARY.slice(0, 8))
  })

  test('a page without a session asks nothing of the store', async () => {
    const { redis, service } = await startRedisService()
    const before = /total_connections_received:(\d+)/.exec(redis.cli('INFO', 'stats'))?.[1]
    const { texts } = await visitPage(
      underTest,
      configureManaged(underTest, service),
      `echo 'no session';`,
      2,
    )
    const after = /total_connections_received:(\d+)/.exec(redis.cli('INFO', 'stats'))?.[1]
    expect(texts).toEqual(['no session', 'no session'])
    expect(Number(after) - Number(before)).toBe(1)
  })

  test.each([
    ['one server', startRedisService],
    ['another database', () => startRedisService({}, { database: 3 })],
    ['a cluster', startClusterService],
  ])('two round trips serve a request: %s', async (_name, start) => {
    const { nodes, service } = await start()
    const { ask } = await startVisiting(underTest, configureManaged(underTest, service), 1)
    expect(await ask()).toBe('2 user')
    for (const node of nodes) node.cli('CONFIG', 'RESETSTAT')
    expect(await ask()).toBe('3 user')
    const called = nodes.flatMap((node) => [
      ...node.cli('INFO', 'commandstats').matchAll(/cmdstat_(\S+?):calls=(\d+)/g),
    ])
    const count = (command: string) =>
      called.filter(([, name]) => name === command).reduce((sum, [, , calls]) => sum + Number(calls), 0)
    // All other commands come from scripts; the logins are those of redis-cli.
    expect({ evalsha: count('evalsha'), slots: count('cluster|slots'), echo: count('echo') }).toEqual({
      evalsha: 2,
      slots: 0,
      echo: 0,
    })
    expect(count('auth')).toBe(nodes.length)
  })

  test("the app's own connections to the server are not used for sessions", async () => {
    const { redis, service } = await startRedisService({ password: undefined })
    const ini = `${configureManaged(underTest, service)}redis.pconnect.pool_pattern=\n`
    const page = `$cache = new Redis(); $cache->pconnect('127.0.0.1', ${redis.port}); $cache->select(5);
      unset($cache); ${COUNT}`
    const { texts } = await visitPage(underTest, ini, page, 3)
    expect(texts).toEqual(['1 user', '2 user', '3 user'])
    expect([redis.cli('DBSIZE'), redis.cli('-n', '5', 'DBSIZE')]).toEqual(['1', '0'])
  })
})
