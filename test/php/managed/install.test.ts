import { readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CANARY, clusterService } from '../../../lab/bindings.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { until } from '../../../lab/processes/until.ts'
import { startRedisCluster } from '../../../lab/redis/cluster.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { makeAuthority } from '../../../lab/servers/certificates.ts'
import { configure } from '../../support/php/configured.ts'
import { configureManaged, PREPEND } from '../../support/php/managed.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'
import { cookieOf, startPhpWeb } from '../../support/php/web.ts'

const COUNT = `session_start(); echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1, ' ', ini_get('session.save_handler');`

async function redisService(options: Parameters<typeof startRedis>[0] = { password: CANARY }, more = {}) {
  const redis = await startRedis(options)
  onTestFinished(redis.stop)
  const credentials = { host: redis.host, port: redis.port, password: CANARY, ...more }
  return { redis, nodes: [redis], service: { name: 'redis-sessions', credentials } }
}

async function startCluster() {
  const { nodes, stop } = await startRedisCluster({ password: CANARY })
  onTestFinished(stop)
  return { nodes, service: clusterService(nodes) }
}

/** Asks for a page this often, as one visitor; gives what it printed each time, and the log. */
async function visit(underTest: PhpUnderTest, ini: string, page: string, times: number) {
  const web = await startPhpWeb(underTest, ini, `<?php ${page}`, 2)
  onTestFinished(web.stop)
  const texts: string[] = []
  let cookie = ''
  for (let i = 0; i < times; i++) {
    const response = await fetch(web.url, { headers: { cookie } })
    cookie = cookieOf(response) || cookie
    texts.push(await response.text())
  }
  return { texts, log: web.log }
}

/** Lets a visitor of COUNT start a session; gives a function that asks again as this visitor. */
async function comeBack(underTest: PhpUnderTest, ini: string, workers: number) {
  const web = await startPhpWeb(underTest, ini, `<?php ${COUNT}`, workers)
  onTestFinished(web.stop)
  const first = await fetch(web.url)
  const cookie = cookieOf(first)
  return { ask: async () => (await fetch(web.url, { headers: { cookie } })).text(), log: web.log }
}

const storeFileOf = (ini: string) => /php_sessions\.store = "(.*)"/.exec(ini)?.[1] ?? ''

function replaceInFile(file: string, pattern: RegExp, replacement: string): void {
  const text = readFileSync(file, 'utf8')
  expect(text).toMatch(pattern)
  writeFileSync(file, text.replace(pattern, replacement))
}

describe.each(PHPS)('%s', (_name, underTest) => {
  test('the native and the managed handler read the sessions of each other, on one server and on a cluster', async () => {
    const { service } = await redisService()
    const { service: clustered } = await startCluster()
    for (const bound of [service, clustered]) {
      const quiet = 'session.use_cookies=0\nsession.use_strict_mode=0\n'
      const native = `${configure(underTest, bound).ini}${quiet}`
      const managed = `${configureManaged(underTest, bound)}${quiet}`
      const page = `ob_start(); session_id('both_1'); ${COUNT}`
      const texts = [native, managed, native, managed].map((ini) =>
        String(underTest.runPhp(ini, ini === managed ? PREPEND + page : page)),
      )
      expect(texts.map((text) => text.split(' ')[0])).toEqual(['1', '2', '3', '4'])
      expect(texts.map((text) => text.split(' ')[1] === 'user')).toEqual([false, true, false, true])
    }
  })

  test('the app’s own prepended file runs after that of php-sessions, in the global scope', async () => {
    const { service } = await redisService()
    const file = join(makeScratch('app'), 'prepend.php')
    writeFileSync(file, `<?php $theirs = 'their prepend'; return 1;`)
    const ini = `${configureManaged(underTest, service)}php_sessions.auto_prepend_file="${file}"\n`
    const { texts } = await visit(underTest, ini, `${COUNT} echo " $theirs";`, 2)
    expect(texts).toEqual(['1 user their prepend', '2 user their prepend'])
  })

  test('when another prepended file replaces that of php-sessions, the native handler keeps the sessions', async () => {
    const { redis, service } = await redisService()
    const ini = `${configureManaged(underTest, service)}auto_prepend_file=\n`
    const { texts } = await visit(underTest, ini, COUNT, 2)
    expect(texts).toEqual(['1 redis', '2 redis'])
    expect(redis.cli('DBSIZE')).toBe('1')
  })

  test('session.auto_start starts sessions by the managed handler', async () => {
    const { service } = await redisService()
    const ini = `${configureManaged(underTest, service)}session.auto_start=1\n`
    const page = `echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1, ' ', ini_get('session.save_handler');`
    const { texts, log } = await visit(underTest, ini, page, 3)
    expect(texts).toEqual(['1 user', '2 user', '3 user'])
    expect(log()).not.toMatch(/notice|warning/i)
  })

  test('an app that wraps or replaces the handler keeps its sessions', async () => {
    const { redis, service } = await redisService()
    const wrap = `class Proxy extends SessionHandler { public function read($id): string|false { return parent::read($id); } }
      session_set_save_handler(new Proxy(), true); ${COUNT}`
    const set = `ini_set('session.save_handler', 'redis'); ${COUNT}`
    for (const page of [wrap, set]) {
      const { texts } = await visit(underTest, configureManaged(underTest, service), page, 3)
      expect(texts.map((text) => text.split(' ')[0])).toEqual(['1', '2', '3'])
    }
    expect(redis.cli('DBSIZE')).toBe('2')
  })

  test('a page without a session asks nothing of the store', async () => {
    const { redis, service } = await redisService()
    const before = /total_connections_received:(\d+)/.exec(redis.cli('INFO', 'stats'))?.[1]
    const { texts } = await visit(underTest, configureManaged(underTest, service), `echo 'no session';`, 2)
    const after = /total_connections_received:(\d+)/.exec(redis.cli('INFO', 'stats'))?.[1]
    expect(texts).toEqual(['no session', 'no session'])
    expect(Number(after) - Number(before)).toBe(1)
  })

  test.each<[string, (file: string) => void]>([
    ['is not there', rmSync],
    // Without it the handler would find no session, and log everybody out.
    ['has no prefix, as one by an earlier version', (file) => replaceInFile(file, /'prefix' => .*,/, '')],
  ])('a store file that %s is a status 503 that names it', async (_name, spoil) => {
    const { service } = await redisService()
    const ini = configureManaged(underTest, service)
    spoil(storeFileOf(ini))
    const { texts, log } = await visit(underTest, ini, COUNT, 1)
    expect(texts[0]).toMatch(/^Service temporarily unavailable/)
    await until('a line in the log', () => log().includes('php-sessions: '))
    expect(log()).toMatch(/php-sessions: .*php-sessions-store\.php cannot be read/)
  })

  test.each([
    ['one server', redisService],
    ['another database', () => redisService({ password: CANARY }, { database: 3 })],
    ['a cluster', startCluster],
  ])('two round trips serve a request: %s', async (_name, start) => {
    const { nodes, service } = await start()
    const { ask } = await comeBack(underTest, configureManaged(underTest, service), 1)
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
    const { redis, service } = await redisService({})
    const ini = `${configureManaged(underTest, service)}redis.pconnect.pool_pattern=\n`
    const page = `$cache = new Redis(); $cache->pconnect('127.0.0.1', ${redis.port}); $cache->select(5);
      unset($cache); ${COUNT}`
    const { texts } = await visit(underTest, ini, page, 3)
    expect(texts).toEqual(['1 user', '2 user', '3 user'])
    expect([redis.cli('DBSIZE'), redis.cli('-n', '5', 'DBSIZE')]).toEqual(['1', '0'])
  })

  test('the handler needs no functions that hosters forbid', async () => {
    const { service } = await redisService()
    const forbidden = 'disable_functions=ini_set,opcache_invalidate,exec,set_time_limit,getmypid\n'
    const { texts, log } = await visit(
      underTest,
      `${configureManaged(underTest, service)}${forbidden}`,
      COUNT,
      2,
    )
    expect(texts).toEqual(['1 user', '2 user'])
    expect(log()).not.toMatch(/php-sessions|warning|error/i)
  })

  test('a status 503 has nothing of the page, except cookies other than that of the session', async () => {
    const { redis, service } = await redisService()
    const page = `header('Cache-Control: public, max-age=99'); header('ETag: "x"'); header('Content-Type: image/png');
      setcookie('theme', 'dark'); ob_start(); echo 'secret'; ${COUNT}`
    const web = await startPhpWeb(underTest, configureManaged(underTest, service), `<?php ${page}`, 2)
    onTestFinished(web.stop)
    await redis.stop()
    const { status, headers } = await fetch(web.url, { headers: { cookie: 'PHPSESSIONID=known' } })
    expect(status).toBe(503)
    expect(headers.getSetCookie()).toEqual(['theme=dark'])
    expect(['cache-control', 'etag', 'content-type', 'retry-after'].map((name) => headers.get(name))).toEqual(
      ['no-store', null, 'text/plain; charset=utf-8', '5'],
    )
  })

  test('new credentials in the file are used by the next request, or when the old ones fail', async () => {
    const { redis, service } = await redisService()
    const ini = configureManaged(underTest, service)
    const { ask, log } = await comeBack(underTest, ini, 2)
    expect(await ask()).toBe('2 user')
    const next = configureManaged(underTest, {
      ...service,
      credentials: { ...service.credentials, password: 'another' },
    })
    redis.cli('ACL', 'SETUSER', 'default', '>another')
    renameSync(storeFileOf(next), storeFileOf(ini))
    await redis.batch([
      ['ACL', 'SETUSER', 'default', `<${CANARY}`],
      ['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'],
    ])
    for (let n = 3; n < 9; n++) expect(await ask()).toBe(`${n} user`)
    expect(log()).not.toContain('php-sessions')
  })

  test('another server in the file is used at once, although the old one still runs, whatever the settings of opcache', async () => {
    const [old, next] = [await redisService(), await redisService()]
    const opcache =
      'zend_extension=opcache\nopcache.enable_cli=1\nopcache.validate_timestamps=0\nopcache.file_update_protection=0\n'
    const ini = `${configureManaged(underTest, old.service)}${opcache}session.use_strict_mode=0\n`
    // opcache distinguishes files by the second in which they were written.
    utimesSync(storeFileOf(ini), 1, 1)
    const web = await startPhpWeb(underTest, ini, `<?php ${COUNT}`, 2)
    onTestFinished(web.stop)
    const ask = async () => (await fetch(web.url, { headers: { cookie: 'PHPSESSIONID=a' } })).text()
    expect([await ask(), await ask(), await ask()]).toEqual(['1 user', '2 user', '3 user'])
    renameSync(storeFileOf(configureManaged(underTest, next.service)), storeFileOf(ini))
    expect([await ask(), await ask(), await ask()]).toEqual(['1 user', '2 user', '3 user'])
  })

  test('a certificate that is not trusted is named as the cause', async () => {
    const authority = makeAuthority()
    onTestFinished(authority.remove)
    const other = makeAuthority()
    onTestFinished(other.remove)
    const redis = await startRedis({ tls: authority.server() })
    onTestFinished(redis.stop)
    const ca = readFileSync(other.server().ca, 'utf8')
    const credentials = { host: 'localhost', tls_port: redis.tlsPort ?? 0, ca }
    const ini = configureManaged(underTest, { name: 'redis-sessions', credentials })
    const { log } = await visit(underTest, ini, COUNT, 1)
    await until('the log', () => log().includes('php-sessions: '))
    expect(log()).toMatch(/php-sessions: .*certificate verify failed/)
  })

  test('TLS with a private CA and a client certificate, an ACL user and a database', async () => {
    const authority = makeAuthority()
    const [tls, client] = [authority.server(), authority.client()]
    const user = { name: 'app', password: CANARY }
    const redis = await startRedis({ user, tls, demandsCertificate: true })
    onTestFinished(redis.stop)
    const credentials = {
      host: 'localhost',
      tls_port: redis.tlsPort ?? 0,
      username: 'app',
      password: CANARY,
      database: 3,
      ca: readFileSync(tls.ca, 'utf8'),
      client_cert: readFileSync(client.certificate, 'utf8'),
      client_key: readFileSync(client.key, 'utf8'),
    }
    const ini = configureManaged(underTest, { name: 'redis-sessions', credentials })
    const { texts, log } = await visit(underTest, ini, COUNT, 3)
    expect(texts).toEqual(['1 user', '2 user', '3 user'])
    expect(redis.cli('-n', '3', 'DBSIZE')).toBe('1')
    expect(log()).not.toMatch(/warning|php-sessions/i)
  })
})
