import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { CANARY, showsCanary } from '../../../lab/bindings.ts'
import { cookieIn } from '../../../lab/php/fastcgi.ts'
import { until } from '../../../lab/processes/until.ts'
import type { RedisOptions } from '../../../lab/redis/options.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { startRedisService } from '../../support/php/managed.ts'
import { type Instance, startInstance } from '../../support/php/moved.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'

const LINE = /php-sessions: the previous session store (.*)/g

/** Starts two Redis, and an instance of each setting: `o` knows the old one, `n` moves its sessions into the new one. */
async function startMove(php: PhpUnderTest, options: RedisOptions = {}) {
  const [old, next] = [await startRedisService(options), await startRedisService()]
  const was = { service: { ...old.service, name: 'old-redis-sessions' } }
  const is = { service: { ...next.service, name: 'new-redis-sessions' } }
  const o = await startInstance(php, [was], {}, 2)
  const n = await startInstance(php, [was, is], { PHP_SESSIONS_PREVIOUS: was.service.name }, 6)
  return { old, o, n }
}

async function visit({ fpm }: Instance, page: 'add' | 'look', cookie = '') {
  const got = await fpm.ask(page, cookie)
  const said = /^Status: (\d+)/.exec(got)?.[1] ?? got.slice(got.indexOf('\r\n\r\n') + 4)
  return { said, cookie: cookieIn(got) ?? cookie }
}

describe.each(PHPS)('%s', (_name, php) => {
  test('a dead previous store is one line in the log, keeps nobody out for long, and counts again when it is back', async () => {
    const { old, o, n } = await startMove(php, { keeps: true })
    const stays = await visit(o, 'add')
    const moved = await visit(n, 'add', (await visit(o, 'add')).cookie)
    expect(moved.said).toBe('2')
    old.redis.signal('SIGTERM')
    await sleep(500)

    // Who has moved is served; who has not, and may be known there, is not taken for a stranger.
    for (let i = 3; i < 9; i++) expect((await visit(n, 'add', moved.cookie)).said).toBe(`${i}`)
    expect((await visit(n, 'add', stays.cookie)).said).toBe('503')
    expect((await visit(n, 'add')).said).toBe('1')
    const before = [...n.log().matchAll(LINE)].map(([line]) => line)
    expect(before).toHaveLength(1)
    expect(before[0]).toMatch(
      /cannot be used, and is tried again every 30 seconds: 127\.0\.0\.1:\d+: Connection refused/,
    )
    expect(showsCanary(n.log())).toBe(false)

    const restarted = await startRedis({ keeps: true, at: old.redis, password: CANARY })
    await until('the server to answer', () => restarted.cli('PING') === 'PONG')
    // As if the pause were over.
    const outage = n.fileOf('php-sessions-previous-outage')
    const [since = ''] = readFileSync(outage, 'utf8').split(' ')
    writeFileSync(outage, `${since} 1 why`)
    expect((await visit(n, 'add', stays.cookie)).said).toBe('2')
    expect((await visit(n, 'add', moved.cookie)).said).toBe('9')
    expect((await visit(o, 'add', moved.cookie)).said).toBe('10')
    expect([...n.log().matchAll(LINE)]).toHaveLength(2)
    expect(n.log()).toContain('the previous session store can be used again')
    await restarted.stop()
  })

  test('a previous store that stays away for more than a minute blocks nobody: its visitors get new sessions', async () => {
    const { old, o, n } = await startMove(php)
    const stays = await visit(o, 'add')
    await old.redis.stop()
    expect((await visit(n, 'add', stays.cookie)).said).toBe('503')
    const outage = n.fileOf('php-sessions-previous-outage')
    const [, until = '', why = ''] = readFileSync(outage, 'utf8').split(' ')
    writeFileSync(outage, `${Math.floor(Date.now() / 1000) - 61} ${until} ${why}`)
    const anew = await visit(n, 'add', stays.cookie)
    expect(anew.said).toBe('1')
    expect(anew.cookie).not.toBe(stays.cookie)
  })

  test('a frozen previous store delays one request, and not those behind it', async () => {
    const { old, n } = await startMove(php)
    const moved = await visit(n, 'add')
    old.redis.signal('SIGSTOP')
    expect((await visit(n, 'add', moved.cookie)).said).toBe('2')
    const begin = Date.now()
    for (let i = 3; i < 23; i++) expect((await visit(n, 'add', moved.cookie)).said).toBe(`${i}`)
    console.log(`20 requests beside a frozen previous store: ${Date.now() - begin} ms`)
    expect([...n.log().matchAll(LINE)]).toHaveLength(1)
    old.redis.signal('SIGCONT')
  })
})

test('the file with the previous store’s password has the mode of the other', async () => {
  const [[, php]] = PHPS as readonly [(typeof PHPS)[number]]
  const { old, n } = await startMove(php)
  const modes = ['php-sessions-store.php', 'php-sessions-previous.php'].map((name) => n.modeOf(name))
  expect(modes).toEqual([0o640, 0o640])
  expect(readFileSync(n.fileOf('php-sessions-previous.php'), 'utf8')).toContain(`'port' => ${old.redis.port}`)
})
