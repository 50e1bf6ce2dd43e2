import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { runInParallel } from '../../../lab/load.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { until } from '../../../lab/processes/until.ts'
import { configure } from '../../support/php/configured.ts'
import { configureManaged, storeFileOf } from '../../support/php/managed.ts'
import { MEMCACHED_SERVERS, startMemcachedService, waitingIn } from '../../support/php/managed-memcached.ts'
import {
  countInParallel,
  newVisitor,
  REQUESTS,
  startHolding,
  startWeb,
  untilLock,
  visit,
} from '../../support/php/memcached-turns.ts'
import { PHPS } from '../../support/php/php.ts'

describe.each(PHPS)('%s', (_name, underTest) => {
  test.each(MEMCACHED_SERVERS)(
    'no update of parallel requests is lost, and no lock is left, with %s',
    async (_server, which) => {
      const { service, client } = await startMemcachedService(which)
      const web = await startWeb(underTest, configureManaged(underTest, service))
      const { failed, count, lock } = await countInParallel([web])
      expect(failed).toEqual([])
      expect(count).toBe(REQUESTS + 2)
      expect(await client.get(lock)).toBeUndefined()
      expect(web.log()).not.toMatch(/php-sessions|warning|error/i)
    },
  )

  test('no update of parallel requests is lost when half of them use the native handler, as during a change of handlers', async () => {
    const { service } = await startMemcachedService()
    const managed = await startWeb(underTest, configureManaged(underTest, service))
    const native = await startWeb(underTest, configure(underTest, service).ini)
    const { cookie } = await newVisitor(managed)
    let refused = 0
    await runInParallel(REQUESTS, 4, async (i) => {
      const { status, text } = await visit((i % 2 === 0 ? managed : native).url, cookie)
      // The native handler gives up after some tries; then its page has an empty session under another id.
      if (status !== 200 || text === '1') refused++
    })
    const { text } = await visit(managed.url, cookie)
    expect(Number(text)).toBe(REQUESTS + 2 - refused)
    expect(refused).toBeLessThan(REQUESTS / 2)
  })

  test('requests take turns in the order in which they came', async () => {
    const { service, client } = await startMemcachedService()
    const { web, cookie, lockText, release } = await startHolding(
      underTest,
      configureManaged(underTest, service),
      client,
    )
    const asked = []
    for (let turn = 1; turn < 6; turn++) {
      asked.push(visit(`${web.url}?turn=${turn}`, cookie))
      await untilLock('one more to wait', lockText, (text) => waitingIn(text).length === turn)
    }
    release()
    await Promise.all(asked)
    expect((await visit(`${web.url}?turns`, cookie)).text).toBe('none,0,1,2,3,4,5,none')
  })

  test('a frozen request does not hold up the requests that wait behind it, and continues when it thaws', async () => {
    const { service, client } = await startMemcachedService()
    const { web, cookie, lockText, release, holder } = await startHolding(
      underTest,
      configureManaged(underTest, service),
      client,
    )
    const pidFile = join(makeScratch('frozen'), 'pid')
    const first = visit(`${web.url}?pid=${pidFile}`, cookie)
    await untilLock('it to wait', lockText, (text) => waitingIn(text).length === 1)
    const pid = Number(readFileSync(pidFile, 'utf8'))
    process.kill(pid, 'SIGSTOP')
    onTestFinished(() => void process.kill(pid, 'SIGCONT'))
    const second = visit(web.url, cookie)
    await untilLock('another one to wait', lockText, (text) => waitingIn(text).length === 2)
    release()
    expect([await holder, await second].map(({ text }) => text)).toEqual(['2', '3'])
    process.kill(pid, 'SIGCONT')
    expect(await first).toEqual({ status: 200, text: '4' })
  })

  test('PHP_SESSIONS_LOCKING=off lets parallel requests overwrite each other, and never refuses one', async () => {
    const { service, client } = await startMemcachedService()
    const ini = configureManaged(underTest, service, { PHP_SESSIONS_LOCKING: 'off' })
    const web = await startWeb(underTest, ini)
    const { failed, count, lock } = await countInParallel([web])
    expect(failed).toEqual([])
    expect(count).toBeLessThan(REQUESTS)
    expect(await client.get(lock)).toBeUndefined()
  })

  test.each(MEMCACHED_SERVERS)(
    'a request that has lost the lock does not overwrite the changes of another, with %s',
    async (_server, which) => {
      const { service, client } = await startMemcachedService(which)
      const { web, cookie, lock, holder, release } = await startHolding(
        underTest,
        configureManaged(underTest, service),
        client,
      )
      await client.delete(lock)
      for (let i = 2; i <= 4; i++) expect((await visit(web.url, cookie)).text).toBe(String(i))
      release()
      expect((await holder).status).toBe(503)
      await until('a line in the log', () => web.log().includes('php-sessions: '))
      expect(web.log()).toMatch(
        /php-sessions: .* lost its lock, after 60 seconds or because the server forgot it, and the session has changed since: the changes of this request are not kept/,
      )
      expect((await visit(web.url, cookie)).text).toBe('5')
    },
  )

  test('a request whose lock the server forgot keeps its changes if nobody else made any', async () => {
    const { service, client } = await startMemcachedService()
    const { web, cookie, lock, holder, release } = await startHolding(
      underTest,
      configureManaged(underTest, service),
      client,
    )
    await client.delete(lock)
    release()
    expect(await holder).toEqual({ status: 200, text: '2' })
    expect((await visit(web.url, cookie)).text).toBe('3')
    expect(web.log()).not.toContain('php-sessions')
  })

  test('at most so many requests wait as is set, one more is a status 429; requests that have gone do not count', async () => {
    const { service, client } = await startMemcachedService()
    const env = { PHP_SESSIONS_MAX_WAITING: '3' }
    const web = await startWeb(underTest, configureManaged(underTest, service, env))
    const { cookie, lock } = await newVisitor(web)
    await client.set(lock, 'owner a b c !a', 1)
    expect(await (await fetch(web.url, { headers: { cookie } })).text()).toBe('2')
    await client.set(lock, 'owner a b c', 60)
    const refused = await fetch(web.url, { headers: { cookie } })
    expect([refused.status, refused.headers.get('retry-after'), refused.headers.getSetCookie()]).toEqual([
      429,
      '5',
      [],
    ])
    await until('the log', () => web.log().includes('php-sessions: '))
    expect(web.log()).toMatch(
      /php-sessions: a request is refused: 3 requests are already waiting for this session \(PHP_SESSIONS_MAX_WAITING\)/,
    )
    expect((await client.get(lock))?.value).toBe('owner a b c')
  })

  test('a request waits for its turn as long as is set, and leaves the line then', async () => {
    const { service, client } = await startMemcachedService()
    const env = { PHP_SESSIONS_MAX_WAIT: '1' }
    const web = await startWeb(underTest, configureManaged(underTest, service, env))
    const { cookie, lock } = await newVisitor(web)
    await client.set(lock, 'owner', 60)
    await client.set('clock', 'runs', 25)
    expect((await visit(web.url, cookie)).status).toBe(503)
    // Without the setting it waits for 30 seconds.
    expect(await client.get('clock')).toBeDefined()
    await until('the log', () =>
      web.log().includes('others have held this session for 1 seconds (PHP_SESSIONS_MAX_WAIT)'),
    )
    expect((await client.get(lock))?.value).toMatch(/^owner ([0-9a-f]{10}) !\1$/)
  })

  test('a worker that is killed while it holds the lock costs the others the rest of its life', async () => {
    const { service, client } = await startMemcachedService()
    const ini = configureManaged(underTest, service)
    const file = storeFileOf(ini)
    writeFileSync(file, readFileSync(file, 'utf8').replace("'lockSeconds' => 60", "'lockSeconds' => 10"))
    const { web, cookie, holder, holderPid, lockText } = await startHolding(underTest, ini, client)
    const first = visit(web.url, cookie)
    // One after the other: a worker of this server may accept two connections before it serves one.
    await untilLock('one to wait', lockText, (text) => waitingIn(text).length === 1)
    const second = visit(web.url, cookie)
    await untilLock('two to wait', lockText, (text) => waitingIn(text).length === 2)
    process.kill(holderPid(), 'SIGKILL')
    await expect(holder).rejects.toThrow()
    expect([(await first).text, (await second).text].toSorted()).toEqual(['2', '3'])
  })

  test('a server that thaws gives no lock for longer than five seconds to a request that has gone', async () => {
    const { server, service, client } = await startMemcachedService()
    const web = await startWeb(underTest, configureManaged(underTest, service))
    const { cookie, lock } = await newVisitor(web)
    server.signal('SIGSTOP')
    expect((await visit(web.url, cookie)).status).toBe(503)
    server.signal('SIGCONT')
    await sleep(200)
    expect((await client.get(lock))?.value ?? '').toMatch(/^$|^([0-9a-f]{10}) !\1$/)
    expect(await visit(web.url, cookie)).toEqual({ status: 200, text: '2' })
  })

  test('requests that hold a lock and wait for it while the server freezes leave it to others', async () => {
    const { server, service, client } = await startMemcachedService()
    const ini = configureManaged(underTest, service)
    const { web, cookie, lockText, holder, release } = await startHolding(underTest, ini, client)
    const waiting = visit(web.url, cookie)
    await untilLock('one to wait', lockText, (text) => waitingIn(text).length === 1)
    server.signal('SIGSTOP')
    release()
    expect([(await holder).status, (await waiting).status]).toEqual([503, 503])
    server.signal('SIGCONT')
    // The lock would live for another minute, and a request waits for half of it.
    expect(await visit(web.url, cookie)).toEqual({ status: 200, text: '3' })
  })
})
