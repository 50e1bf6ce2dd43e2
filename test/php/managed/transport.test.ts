import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CANARY, showsCanary } from '../../../lab/bindings.ts'
import { until } from '../../../lab/processes/until.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { type Spoil, startSpoilingRelay } from '../../../lab/redis/spoiling-relay.ts'
import { configureManaged } from '../../support/php/managed.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'
import { SERVERS_OWN, startPhpWeb } from '../../support/php/web.ts'
import { PROPERTY_RUNS } from '../../support/texts.ts'

/** A hang; whatever the server does, an answer takes a few seconds, or eight where a write is tried again. */
const LIMIT_MILLISECONDS = 20_000

// The app's error handler throws: no notice of the handler's may reach it, or the page.
const PAGE = `<?php
  set_error_handler(function ($level, $message) { throw new ErrorException("seen by the app: $message"); });
  session_start(); $_SESSION['who'] ??= $_GET['who'];
  if (isset($_GET['big'])) $_SESSION['big'] = str_repeat('x', 8 << 20);
  if (isset($_GET['small'])) unset($_SESSION['big']);
  $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;
  echo $_SESSION['who'], ' ', $_SESSION['n'];`

const UNAVAILABLE = 'Service temporarily unavailable. Please try again in a few seconds.\n'

/** The replies of one page, by how they begin: those to AUTH, TAKE and RELEASE. */
const REPLIES = {
  login: (reply: Buffer) => reply.toString('latin1', 0, 3) === '+OK',
  take: (reply: Buffer) => reply.toString('latin1', 0, 2) === '*3',
  release: (reply: Buffer) => reply.toString('latin1', 0, 2) === '*2',
}
type Reply = keyof typeof REPLIES

/** Writes this in place of the reply and ends the connection. */
const instead =
  (change: (reply: Buffer) => Buffer | string): Spoil =>
  (client, reply) =>
    client.end(change(reply))

async function start(underTest: PhpUnderTest) {
  const redis = await startRedis({ password: CANARY })
  onTestFinished(redis.stop)
  const relay = await startSpoilingRelay(redis.port)
  onTestFinished(relay.stop)
  const credentials = { host: '127.0.0.1', port: relay.port, password: CANARY }
  const ini = configureManaged(underTest, { name: 'redis-sessions', credentials })
  const web = await startPhpWeb(underTest, `${ini}log_errors=1\nmemory_limit=64M\n`, PAGE, 1)
  onTestFinished(web.stop)
  const newVisitor = async (who: string) => {
    const response = await fetch(`${web.url}?who=${who}`)
    expect(await response.text()).toBe(`${who} 1`)
    const cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    const key = `PHPREDIS_SESSION:${cookie.split('=')[1]}`
    const visit = async (query = '') => {
      const began = Date.now()
      const signal = AbortSignal.timeout(LIMIT_MILLISECONDS)
      const answer = await fetch(`${web.url}${query}`, { headers: { cookie }, signal })
      const text = await answer.text()
      return { status: answer.status, text, seconds: (Date.now() - began) / 1000 }
    }
    return { key, visit }
  }
  // The last one is still being written, or empty.
  const lines = () => web.log().split('\n').slice(0, -1)
  const before = lines().length
  const said = () =>
    lines()
      .slice(before)
      .filter((line) => !SERVERS_OWN.test(line))
  return { redis, relay, newVisitor, said }
}

/** What is not RESP, lies about a length, or is not what was asked. */
const GARBAGE: Readonly<Record<string, string>> = {
  nothing: '',
  'an empty line': '\r\n',
  'another protocol': 'HTTP/1.1 400 Bad Request\r\n\r\n',
  'a TLS alert': '\x15\x03\x03\x00\x02\x02\x28',
  'an unknown type': '~1\r\n:1\r\n',
  'a simple string': '+PONG\r\n',
  'a number': ':1\r\n',
  'no number': ':one\r\n',
  'a number with more': ':1 2\r\n',
  'a number beyond 64 bits': ':99999999999999999999\r\n',
  null: '$-1\r\n',
  'a null array': '*-1\r\n',
  'an empty array': '*0\r\n',
  'a negative length': '$-2\r\n',
  'a negative count': '*-2\r\n',
  'a large negative length': '$-9223372036854775808\r\n',
  'the largest length': '$9223372036854775807\r\nx\r\n',
  'a length that is too large': '*2\r\n$16\r\nabc\r\n:1\r\n',
  'a length that is too small': '*2\r\n$1\r\nabc\r\n:1\r\n',
  'the largest count': '*9223372036854775807\r\n',
  'a count that is too large': '*1000\r\n:1\r\n',
  'deep nesting': '*1\r\n'.repeat(100_000),
  'many elements': `*900000\r\n${':1\r\n'.repeat(900_000)}`,
  'a line without an end': '+'.padEnd(1 << 20, 'x'),
  'an error in an array': '*2\r\n-ERR no\r\n:1\r\n',
  'another token': '*3\r\n$16\r\n0123456789abcdef\r\n:1\r\n$10\r\nwho|s:1:"x\r\n',
  'a token alone': '*1\r\n$16\r\n0123456789abcdef\r\n',
  'two answers': '+OK\r\n+OK\r\n',
  'more than memory_limit': `$60000000\r\n${'x'.repeat(60_000_000)}`,
}

describe.each(PHPS)('%s', (_name, underTest) => {
  test.each<Reply>(['login', 'take', 'release'])(
    'a reply to %s that is cut at any byte costs nobody anything',
    async (which) => {
      const { redis, relay, newVisitor, said } = await start(underTest)
      const { key, visit } = await newVisitor('a')
      let length = 1
      let expected = 1
      for (let at = 0; at < length; at++) {
        if (which === 'login') relay.reset()
        relay.spoil(REPLIES[which], (client, reply) => {
          length = reply.length
          if (at % 2 === 0) client.end(reply.subarray(0, at))
          else client.write(reply.subarray(0, at), () => client.resetAndDestroy())
        })
        const { status, text } = await visit()
        const locks = redis.cli('EXISTS', `${key}_LOCK`)
        expect({ at, status, text, locks }).toEqual({
          at,
          status: 200,
          text: `a ${++expected}`,
          locks: '0',
        })
      }
      expect(length).toBeGreaterThan(4)
      expect(said()).toEqual([])
    },
  )

  test.each<Reply>(['login', 'take', 'release'])(
    'garbage once in place of a reply to %s is a right page or a 503, and one line',
    async (which) => {
      const { redis, relay, newVisitor, said } = await start(underTest)
      const { key, visit } = await newVisitor('a')
      for (const [name, garbage] of Object.entries(GARBAGE)) {
        const before = Number((await visit()).text.slice(2))
        if (which === 'login') relay.reset()
        const lines = said().length
        relay.spoil(
          REPLIES[which],
          instead(() => Buffer.from(garbage, 'latin1')),
        )
        const { status, text } = await visit()
        if (status === 503) {
          await until('a line in the log', () => said().length > lines)
          expect({ name, text, lines: said().length - lines }).toEqual({ name, text: UNAVAILABLE, lines: 1 })
          redis.cli('DEL', `${key}_LOCK`)
        } else {
          expect({ name, status, text, lines: said().length - lines }).toEqual({
            name,
            status: 200,
            text: `a ${before + 1}`,
            lines: 0,
          })
          expect({ name, locks: redis.cli('EXISTS', `${key}_LOCK`) }).toEqual({ name, locks: '0' })
        }
        relay.reset()
      }
      expect(said().filter(showsCanary)).toEqual([])
      expect(said().join('\n')).not.toMatch(/Warning|Notice|Fatal|seen by the app/)
    },
  )

  const runs = Math.ceil(PROPERTY_RUNS / 10)
  test(`${runs} replies that are changed somewhere never give the session of another, nor more than one line`, async () => {
    const { redis, relay, newVisitor, said } = await start(underTest)
    const visitors = { a: await newVisitor('a'), b: await newVisitor('b') }
    let other = Buffer.from('')
    const spoils = fc.record({
      who: fc.constantFrom('a' as const, 'b' as const),
      which: fc.constantFrom<Reply>('take', 'release'),
      // The data themselves are bytes to everybody: only what is around them can be checked.
      at: fc.nat(30),
      bytes: fc.uint8Array({ maxLength: 4 }),
      remove: fc.nat(4),
      isOther: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(spoils, async ({ who, which, at, bytes, remove, isOther }) => {
        const lines = said().length
        relay.spoil(
          REPLIES[which],
          instead((reply) => {
            const earlier = other
            other = Buffer.from(reply)
            if (isOther) return earlier
            return Buffer.concat([reply.subarray(0, at), Buffer.from(bytes), reply.subarray(at + remove)])
          }),
        )
        const { status, text } = await visitors[who].visit()
        if (status === 503) {
          redis.cli('DEL', `${visitors[who].key}_LOCK`)
          await until('a line in the log', () => said().length > lines)
        } else expect(text).toMatch(new RegExp(`^${who} \\d+$`))
        expect(said().length - lines).toBe(status === 503 ? 1 : 0)
      }),
      { numRuns: runs },
    )
    expect(said().join('\n')).not.toMatch(/Warning|Notice|Fatal|seen by the app/)
  })

  test('a connection that is reset while a large session is sent costs nobody anything', async () => {
    const { redis, relay, newVisitor, said } = await start(underTest)
    const { key, visit } = await newVisitor('a')
    relay.spoil(REPLIES.take, (client, reply) => {
      client.write(reply)
      client.once('data', () => client.resetAndDestroy())
    })
    expect(await visit('?big')).toMatchObject({ status: 200, text: 'a 2' })
    expect(redis.cli('EXISTS', `${key}_LOCK`)).toBe('0')
    expect(await visit('?small')).toMatchObject({ status: 200, text: 'a 3' })
    expect(said()).toEqual([])
  })

  test('a server that drips, falls silent inside a reply or reads nothing ends in bounded time', async () => {
    const { redis, relay, newVisitor, said } = await start(underTest)
    const { key, visit } = await newVisitor('a')
    const drip: Spoil = (client, reply) => {
      let at = 0
      const timer = setInterval(() => {
        if (client.destroyed || at >= reply.length) clearInterval(timer)
        else client.write(reply.subarray(at, ++at))
      }, 1000)
    }
    const silent: Spoil = (client, reply) => client.write(reply.subarray(0, reply.length - 5))
    for (const [which, spoil] of [
      ['take', drip],
      ['take', silent],
      ['login', silent],
      ['login', drip],
    ] as const) {
      if (which === 'login') relay.reset()
      relay.spoil(REPLIES[which], spoil, false)
      const { status, text, seconds } = await visit()
      expect({ which, status, text }).toEqual({ which, status: 503, text: UNAVAILABLE })
      expect(seconds).toBeLessThan(10)
      relay.reset()
      redis.cli('DEL', `${key}_LOCK`)
    }
    await until('four lines in the log', () => said().length > 3)
    expect(said().map((line) => /no answer for [23] seconds$/.test(line))).toEqual([true, true, true, true])
    expect((await visit('?big')).status).toBe(200)
    // The command is larger than all buffers on its way, and nobody reads it.
    relay.spoil(REPLIES.take, (client, reply) => {
      client.write(reply)
      relay.deafen(true)
    })
    // The page has been sent before its session is written, so the line in the log is all.
    await visit()
    await until('a line in the log', () => said().length > 4)
    expect(said()).toHaveLength(5)
    relay.reset()
    redis.cli('DEL', `${key}_LOCK`)
    expect((await visit('?small')).status).toBe(200)
    expect(said().join('\n')).not.toMatch(/Warning|Notice|Fatal|seen by the app/)
  })
})
