import { describe, expect, onTestFinished, test } from 'vitest'
import { type Service, showsCanary } from '../../../../lab/bindings.ts'
import { until } from '../../../../lab/processes/until.ts'
import { configure } from '../../../support/php/configured.ts'
import { configureManaged, startRedisService } from '../../../support/php/managed.ts'
import { PREFIX, startMemcachedService } from '../../../support/php/managed-memcached.ts'
import { PHPS_AND_STORES, type StartStore } from '../../../support/php/managed-stores.ts'
import { PHPS, type PhpUnderTest } from '../../../support/php/php.ts'
import { startPhpWeb } from '../../../support/php/web.ts'

/** An app that throws for every notice, and pages of it. */
const PAGE = `<?php
set_error_handler(function ($level, $text) { throw new ErrorException($text); });
class Late { function __construct(private Closure $what) {} function __destruct() { ($this->what)(); } }
switch ($_GET['page'] ?? '') {
  case '': session_start(); $_SESSION['n'] = 1; break;
  case 'show': session_start(); echo json_encode($_SESSION), ' ', session_id() === ($_COOKIE['PHPSESSIONID'] ?? '') ? 'same' : 'new'; exit;
  case 'caught': try { session_start(); } catch (Throwable $e) { echo 'caught'; } break;
  case 'buffer': ob_start(null, 0, 0); echo 'page'; try { session_start(); } catch (Throwable $e) { echo 'caught'; } break;
  case 'header': header_register_callback(function () { $_SESSION['x'] = 1; header('X-App: here'); }); session_start(); break;
  case 'destructor': $late = new Late(function () { session_start(); }); break;
  case 'shutdown': register_shutdown_function(function () { session_start(); }); break;
  case 'large': session_start(); $_SESSION['large'] = str_repeat('x', 4_000_000); break;
  case 'medium': session_start(); $_SESSION['large'] = str_repeat('x', 900_000); break;
  case 'memory': ini_set('memory_limit', $_GET['limit']); session_start(); break;
  case 'full': ini_set('memory_limit', $limit = memory_get_usage(true) + 2097152); $fill = [];
    while ($limit - memory_get_usage() > $_GET['left']) $fill[] = str_repeat('x', 20_000);
    session_start(); break;
  case 'memory-late': session_start(); ini_set('memory_limit', '10M'); str_repeat('x', 9_000_000); break;
  case 'basedir': ini_set('open_basedir', __DIR__); session_start(); break;
  case 'auto': $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1; echo $_SESSION['n']; exit;
  case 'buffered': $before = ob_get_level(); session_start();
    $open = ob_get_level(); session_write_close(); echo $before, $open, ob_get_level(); exit;
}
echo ' served';`

/** Ubuntu 22.04's PHP does, since a security patch (CVE-2026-109618): no shutdown function is called, nor a destructor. */
function endsWithMemory({ runPhp }: PhpUnderTest): boolean {
  const code = `register_shutdown_function(fn () => print 'still here'); str_repeat('x', 100_000_000);`
  try {
    return runPhp('memory_limit=8M\n', code).length === 0
  } catch (error) {
    return !String((error as { readonly stdout?: Buffer }).stdout).includes('still here')
  }
}

/** A whole line in the log. */
const LINE = /php-sessions: .*\n/

/** With a password PHP's own handler, which the start has not chosen, cannot log in. */
const NO_LOGIN = { hasLogin: false }

async function open(underTest: PhpUnderTest, start: StartStore, more = '', options = {}) {
  const store = await start(options)
  return { store, ...(await serve(underTest, store.service, more)) }
}

async function serve(underTest: PhpUnderTest, service: Service, more = '') {
  const ini = `${configureManaged(underTest, service)}log_errors=1\n${more}`
  const web = await startPhpWeb(underTest, ini, PAGE, 1)
  onTestFinished(web.stop)
  const ask = async (page: string, cookie = '', body?: FormData) => {
    const options = body === undefined ? {} : { method: 'POST', body }
    const response = await fetch(`${web.url}?page=${page}`, { headers: { cookie }, ...options })
    const { status, headers } = response
    const cookies = headers.getSetCookie().map((line) => line.split(';')[0] ?? '')
    return { status, cookies, app: headers.get('x-app'), text: await response.text() }
  }
  return { ini, ask, log: web.log }
}

describe.each(PHPS_AND_STORES)('%s', (_name, underTest, start) => {
  test.each(['caught', 'buffer', 'header', 'destructor', 'shutdown'])(
    'the store is down, and the app throws for every notice: 503, nothing of it is sent: %s',
    async (page) => {
      const { store, ask, log } = await open(underTest, start, 'output_buffering=4096\n')
      await store.stop()
      const { status, cookies, app, text } = await ask(page)
      expect({ status, cookies, app }).toEqual({ status: 503, cookies: [], app: null })
      expect(text).not.toMatch(/recursive|caught|Fatal/)
      await until('a line in the log', () => LINE.test(log()))
      expect(log()).not.toMatch(/recursive/)
    },
  )

  test.for(['large', 'medium'])(
    'too little memory for a session leaves no lock, and the session as it was: %s',
    async (size, { skip }) => {
      if (endsWithMemory(underTest))
        skip('this PHP ends its process when a page runs out of memory: nothing can release the lock')
      const { store, ask } = await open(underTest, start)
      const [cookie = ''] = (await ask(size)).cookies
      const limits = [2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 8, 12, 16].map((limit) => limit * 2 ** 20)
      const rooms = [0.3, 0.6, 0.9, 1.2, 1.5, 1.8, 2.1].map((left) => left * 1_000_000)
      const pages = [
        ...limits.map((limit) => `memory&limit=${limit}`),
        ...rooms.map((left) => `full&left=${left}`),
      ]
      for (const page of [...pages, 'memory-late']) {
        const { text } = await ask(page, cookie)
        expect(text).not.toMatch(/recursive/)
        expect({ page, locks: await store.locks() }).toEqual({ page, locks: [] })
      }
      expect((await ask('memory-late', cookie)).text).not.toMatch(/served/)
      expect((await ask(`memory&limit=${limits[0]}`, cookie)).text).not.toMatch(/served/)
      expect((await ask('show', cookie)).text).toMatch(/xxx"\} same$/)
    },
  )

  test('with auto_start a session is a 503 while the store is down; otherwise there is one cookie', async () => {
    const line = 'session.auto_start=1\ndisplay_errors=0\n'
    const { store, ask } = await open(underTest, start, line, NO_LOGIN)
    const first = await ask('auto')
    expect(first).toMatchObject({ status: 200, text: '1' })
    expect(first.cookies).toHaveLength(1)
    // PHP sends it once more where its own handler has started the session.
    const again = await ask('auto', first.cookies[0])
    expect(again.text).toBe('2')
    expect(again.cookies.filter((cookie) => cookie !== first.cookies[0])).toEqual([])
    await store.stop()
    // PHP's own handler comes first, and php-memcached 3.3 ends the page.
    const status = store.service.name === 'memcached-sessions' ? expect.toBeOneOf([500, 503]) : 503
    expect(await ask('auto', first.cookies[0])).toMatchObject({ status, cookies: [] })
  })

  test('a form that asks for the progress of an upload starts nothing before the handler', async () => {
    const { store, ask, log } = await open(underTest, start, '', { hasLogin: true })
    // PHP starts a session for the progress only where the visitor has one.
    const [cookie = ''] = (await ask('')).cookies
    await store.stop()
    const form = new FormData()
    form.append('PHP_SESSION_UPLOAD_PROGRESS', 'x')
    form.append('file', new Blob(['content']), 'file.txt')
    expect(await ask('caught', cookie, form)).toMatchObject({ status: 503 })
    expect(log().split('\n').filter(showsCanary)).toEqual([])
    expect(log()).not.toMatch(/Warning/)
  })

  test("if PHP forbids an app's handlers and the start did not know, PHP's own handler has no login", async () => {
    const { ask, log } = await open(underTest, start, 'session.upload_progress.enabled=1\n', NO_LOGIN)
    const [cookie = ''] = (await ask('')).cookies
    expect((await ask('show', cookie)).text).toBe('{"n":1} same')
    expect(log()).not.toMatch(/Fatal|Uncaught/)
  })

  test.each([
    'ini_get',
    'session_set_save_handler',
    'error_log',
    'register_shutdown_function',
    'getmypid,ini_get,ini_set',
  ])('a hoster that forbids %s keeps nobody from the sessions', async (forbidden) => {
    // Where the start knows, it chooses the native handler (test/php/settings/obstacles.test.ts).
    const login = forbidden === 'session_set_save_handler' ? NO_LOGIN : {}
    const { ask, log } = await open(underTest, start, `disable_functions=${forbidden}\n`, login)
    const [cookie = ''] = (await ask('')).cookies
    expect((await ask('show', cookie)).text).toBe('{"n":1} same')
    expect(log()).not.toMatch(/Fatal|Uncaught/)
  })

  test('an app that sets open_basedir is a 503, and the log line names the file and who may read it', async () => {
    const { ask, log } = await open(underTest, start)
    expect((await ask('basedir')).status).toBe(503)
    await until('a line in the log', () => LINE.test(log()))
    expect(log()).toMatch(
      /php-sessions-store\.php cannot be read \(open_basedir is \/\S+?(, and PHP runs as user \d+)?\)/,
    )
  })

  test('a page has a buffer while its session is open, if PHP has none, and not afterwards', async () => {
    const { ask } = await open(underTest, start)
    expect((await ask('buffered')).text).toBe('010')
    const { ask: buffered } = await open(underTest, start, 'output_buffering=4096\n')
    expect((await buffered('buffered')).text).toBe('111')
  })

  test('only the process that has taken a lock releases it', async () => {
    const { ini, store } = await open(underTest, start)
    const page = `require ini_get('auto_prepend_file'); session_id('forked'); session_start(); $_SESSION['n'] = 1;
      if (pcntl_fork() === 0) { $_SESSION['n'] = 2; exit; }
      pcntl_wait($status); echo 'child ended'; usleep(2_000_000); $_SESSION['parent'] = 1;`
    const running = underTest.startPhp(`${ini}session.use_cookies=0\nsession.use_strict_mode=0\n`, page, {})
    await until('the lock', async () => (await store.locks()).length > 0)
    await new Promise((resolve) => setTimeout(resolve, 250))
    expect(await store.locks()).toHaveLength(1)
    expect(await running).toBe('child ended')
    expect(await store.locks()).toEqual([])
  })

  test('a child of a process has a connection of its own', async () => {
    const { ini, store } = await open(underTest, start)
    const page = `require ini_get('auto_prepend_file'); session_id('forked');
      $count = function () { for ($i = 0; $i < 50; $i++) { session_start(); $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1; session_write_close(); } };
      ob_start(); $count(); $isChild = pcntl_fork() === 0; $count(); if ($isChild) { ob_clean(); exit; }
      pcntl_wait($status); session_start(); echo $_SESSION['n'];`
    const text = await underTest.startPhp(
      `${ini}session.use_cookies=0\nsession.use_strict_mode=0\n`,
      page,
      {},
    )
    expect(text).toBe('150')
    expect(await store.locks()).toEqual([])
  })
})

describe.each(PHPS)('%s', (_name, underTest) => {
  test.each(['_LOCK', '_WAIT', '_NEXT', '_DONE_0af'])(
    'Redis: an id that ends in %s is not accepted',
    async (end) => {
      const { redis, service } = await startRedisService()
      const { ask } = await serve(underTest, service)
      const [cookie = ''] = (await ask('')).cookies
      const [, id = ''] = cookie.split('=')
      const key = `PHPREDIS_SESSION:${id}${end}`
      redis.cli('SET', key, 'somebody')
      const { cookies } = await ask('show', `${cookie}${end}`)
      expect(cookies).toHaveLength(1)
      expect(redis.cli('GET', key)).toBe('somebody')
    },
  )

  test('Memcached: an id that begins with lock. is not accepted', async () => {
    const { service, client } = await startMemcachedService()
    const { ask } = await serve(underTest, service)
    const [cookie = ''] = (await ask('')).cookies
    const id = `lock.${cookie.split('=')[1]}`
    await client.set(`${PREFIX}${id}`, 'somebody', 60)
    const { cookies } = await ask('show', `PHPSESSIONID=${id}`)
    expect(cookies).toHaveLength(1)
    expect((await client.get(`${PREFIX}${id}`))?.value).toBe('somebody')
  })

  test.each(['lz4', 'zstd', 'lzf'])(
    'Redis: a session that PHP’s own handler has compressed is read: %s',
    async (method) => {
      const { redis, service } = await startRedisService()
      const quiet = `session.use_cookies=0\nsession.use_strict_mode=0\nredis.session.compression=${method}\n`
      const native = `${configure(underTest, service).ini}${quiet}`
      const managed = `${configureManaged(underTest, service)}${quiet}`
      const page = (code: string) =>
        `ob_start(); session_id('small'); session_start(); ${code} echo json_encode($_SESSION['n'] ?? null);`
      const prepend = `require ini_get('auto_prepend_file'); `
      const long = 'long text, '.repeat(100)
      expect(String(underTest.runPhp(native, page(`$_SESSION = ['n' => 1, 'long' => '${long}'];`)))).toBe('1')
      expect(String(underTest.runPhp(managed, prepend + page('')))).toBe('1')
      expect(String(underTest.runPhp(managed, prepend + page(`$_SESSION['n']++;`)))).toBe('2')
      expect(String(underTest.runPhp(native, page(`$_SESSION['n']++;`)))).toBe('3')
      expect(String(underTest.runPhp(managed, prepend + page(`$_SESSION['n']++;`)))).toBe('4')
      expect(redis.cli('KEYS', '*_LOCK')).toBe('')
    },
  )
})
