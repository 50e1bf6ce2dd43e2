import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startMemcached } from '../../../lab/servers/memcached.ts'
import { startLateRelay } from '../../support/php/late-relay.ts'
import { configureManaged } from '../../support/php/managed.ts'
import { PREFIX, serviceOf } from '../../support/php/managed-memcached.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'
import { cookieOf, startPhpWeb } from '../../support/php/web.ts'

// Commands that arrive late and answers that never do, with a real server.

const PAGE = `<?php session_start();
  if (isset($_GET['destroy'])) { session_destroy(); exit('destroyed'); }
  echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;`
/** Words that only this command has. */
const TAKE = `add ${PREFIX}lock.`
const RELEASE = `cas ${PREFIX}`

const LATE = 'the command is late'
const LOST = 'the reply is lost'

async function start(underTest: PhpUnderTest) {
  const server = await startMemcached()
  onTestFinished(server.stop)
  const relay = await startLateRelay(server.port)
  const ini = configureManaged(underTest, serviceOf(relay).service)
  const web = await startPhpWeb(underTest, `${ini}output_buffering=4096\n`, PAGE, 1)
  onTestFinished(web.stop)
  const first = await fetch(web.url)
  expect(await first.text()).toBe('1')
  const cookie = cookieOf(first)
  const { client } = serviceOf(server)
  const lock = `${PREFIX}lock.${cookie.split('=')[1]}`
  const ask = async (query = '') => (await fetch(`${web.url}${query}`, { headers: { cookie } })).text()
  return { relay, ask, log: web.log, client, lock }
}

describe.each(PHPS)('%s', (_name, underTest) => {
  test('a write that arrives late changes nothing, since another one has been made', async () => {
    const { relay, ask, log, client, lock } = await start(underTest)
    relay.lose(RELEASE, LATE)
    expect(await ask()).toBe('2')
    expect(await ask()).toBe('3')
    await relay.deliver()
    expect(await ask()).toBe('4')
    expect(await client.get(lock)).toBeUndefined()
    expect(log()).not.toContain('php-sessions')
  })

  test('a destroyed session does not come back with a write that arrives late', async () => {
    const { relay, ask } = await start(underTest)
    relay.lose(RELEASE, LATE)
    expect(await ask()).toBe('2')
    expect(await ask('?destroy')).toBe('destroyed')
    await relay.deliver()
    expect(await ask()).toBe('1')
  })

  test.each([
    ['take', TAKE],
    ['write', RELEASE],
  ])('a %s whose answer is lost is done once', async (_what, words) => {
    const { relay, ask, log, client, lock } = await start(underTest)
    relay.lose(words, LOST)
    expect(await ask()).toBe('2')
    expect(await ask()).toBe('3')
    expect(await client.get(lock)).toBeUndefined()
    expect(log()).not.toContain('php-sessions')
  })

  test('a take that arrives after its request has gone costs the next one five seconds at most', async () => {
    const { relay, ask, log, client, lock } = await start(underTest)
    relay.lose(TAKE, LATE)
    expect(await ask()).toBe('2')
    await relay.deliver()
    expect((await client.get(lock))?.value).toMatch(/^[0-9a-f]{10} !\d+\|[^ ]*$/)
    expect(await ask()).toBe('3')
    expect(log()).not.toContain('php-sessions')
  })

  test('a take that arrives while its request waits gives it the session as it is', async () => {
    const { ask, log, client, lock } = await start(underTest)
    await client.set(lock, 'other', 60)
    const waiting = ask()
    const token = async () => / ([0-9a-f]{10})$/.exec((await client.get(lock))?.value ?? '')?.[1]
    while ((await token()) === undefined) await sleep(5)
    await client.set(lock, (await token()) ?? '', 60)
    expect(await waiting).toBe('2')
    expect(log()).not.toContain('php-sessions')
  })
})
