import { describe, expect, onTestFinished, test } from 'vitest'
import { showsCanary } from '../../../lab/bindings.ts'
import { until } from '../../../lab/processes/until.ts'
import { type Spoil, startSpoilingRelay } from '../../../lab/redis/spoiling-relay.ts'
import { configureManaged } from '../../support/php/managed.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'
import { REPLIES, SPOILED_PROTOCOLS, type SpoiledProtocol } from '../../support/php/spoiled-protocols.ts'
import { SERVERS_OWN, startPhpWeb } from '../../support/php/web.ts'
import { fc, PROPERTY_RUNS } from '../../support/properties.ts'

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
const APP_SAW = /Warning|Notice|Fatal|Deprecated|seen by the app/

/** Writes this in place of the reply and ends the connection. */
const instead =
  (change: (reply: Buffer) => Buffer | string): Spoil =>
  (client, reply) =>
    client.end(change(reply))

async function start(underTest: PhpUnderTest, protocol: SpoiledProtocol) {
  const server = await protocol.start()
  const relay = await startSpoilingRelay(server.port)
  onTestFinished(relay.stop)
  const ini = configureManaged(underTest, server.serviceAt(relay.port))
  const web = await startPhpWeb(underTest, `${ini}log_errors=1\nmemory_limit=64M\n`, PAGE, 1)
  onTestFinished(web.stop)
  const newVisitor = async (who: string) => {
    const response = await fetch(`${web.url}?who=${who}`)
    expect(await response.text()).toBe(`${who} 1`)
    const cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    const id = cookie.split('=')[1] ?? ''
    const visit = async (query = '') => {
      const signal = AbortSignal.timeout(LIMIT_MILLISECONDS)
      const answer = await fetch(`${web.url}${query}`, { headers: { cookie }, signal })
      return { status: answer.status, text: await answer.text() }
    }
    return { visit, isLocked: () => server.isLocked(id), unlock: async () => void (await server.unlock(id)) }
  }
  // The last one is still being written, or empty.
  const lines = () => web.log().split('\n').slice(0, -1)
  const before = lines().length
  const said = () =>
    lines()
      .slice(before)
      .filter((line) => !SERVERS_OWN.test(line))
  return { relay, newVisitor, said }
}

const ROWS = PHPS.flatMap(([php, underTest]) =>
  Object.entries(SPOILED_PROTOCOLS).map(
    ([name, protocol]) => [`${php}, ${name}`, underTest, protocol] as const,
  ),
)

describe.each(ROWS)('%s', (_name, underTest, protocol) => {
  const { replies, garbage, leavesNoLock } = protocol

  test.each(REPLIES)('a reply to %s that is cut at any byte costs nobody anything', async (which) => {
    const { relay, newVisitor, said } = await start(underTest, protocol)
    const { visit, isLocked } = await newVisitor('a')
    let length = 1
    let expected = 1
    // Each third byte, the ends of lines among them, where replies are long.
    for (let at = 0; at < length; at += at < 30 ? 1 : 3) {
      if (which === 'login') relay.reset()
      relay.spoil(replies[which], (client, reply) => {
        length = reply.length
        if (at % 2 === 0) client.end(reply.subarray(0, at))
        else client.write(reply.subarray(0, at), () => client.resetAndDestroy())
      })
      const answer = await visit()
      expect({ at, ...answer, isLocked: await isLocked() }).toEqual({
        at,
        status: 200,
        text: `a ${++expected}`,
        isLocked: false,
      })
    }
    expect(length).toBeGreaterThan(4)
    expect(said()).toEqual([])
  })

  test.each(REPLIES)(
    'garbage once in place of a reply to %s is a right page or a 503, and one line',
    async (which) => {
      const { relay, newVisitor, said } = await start(underTest, protocol)
      const { visit, isLocked, unlock } = await newVisitor('a')
      for (const [name, bytes] of Object.entries(garbage)) {
        const before = Number((await visit()).text.slice(2))
        if (which === 'login') relay.reset()
        const lines = said().length
        relay.spoil(
          replies[which],
          instead(() => Buffer.from(bytes, 'latin1')),
        )
        const { status, text } = await visit()
        if (status === 503) await until('a line in the log', () => said().length > lines)
        expect({ name, status, text, lines: said().length - lines }).toEqual(
          status === 503
            ? { name, status, text: UNAVAILABLE, lines: 1 }
            : { name, status: 200, text: `a ${before + 1}`, lines: 0 },
        )
        if (status === 200 && leavesNoLock === true)
          expect({ name, isLocked: await isLocked() }).toEqual({ name, isLocked: false })
        await unlock()
        relay.reset()
      }
      expect(said().filter(showsCanary)).toEqual([])
      expect(said().join('\n')).not.toMatch(APP_SAW)
    },
  )

  const runs = Math.ceil(PROPERTY_RUNS / 10)
  test(`${runs} replies that are changed somewhere never give the session of another, nor more than one line`, async () => {
    const { relay, newVisitor, said } = await start(underTest, protocol)
    const visitors = { a: await newVisitor('a'), b: await newVisitor('b') }
    let other = Buffer.from('')
    const spoils = fc.record({
      who: fc.constantFrom('a' as const, 'b' as const),
      which: fc.constantFrom('take' as const, 'release' as const),
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
          replies[which],
          instead((reply) => {
            const earlier = other
            other = Buffer.from(reply)
            if (isOther) return earlier
            return Buffer.concat([reply.subarray(0, at), Buffer.from(bytes), reply.subarray(at + remove)])
          }),
        )
        const { status, text } = await visitors[who].visit()
        if (status === 503) await until('a line in the log', () => said().length > lines)
        else expect(text).toMatch(new RegExp(`^${who} \\d+$`))
        expect(said().length - lines).toBe(status === 503 ? 1 : 0)
        await visitors[who].unlock()
      }),
      { numRuns: runs },
    )
    expect(said().join('\n')).not.toMatch(APP_SAW)
  })

  test('a server that drips or falls silent inside a reply ends in bounded time', async () => {
    const { relay, newVisitor, said } = await start(underTest, protocol)
    const { visit, unlock } = await newVisitor('a')
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
      relay.spoil(replies[which], spoil, false)
      expect({ which, ...(await visit()) }).toEqual({ which, status: 503, text: UNAVAILABLE })
      relay.reset()
      await unlock()
    }
    await until('four lines in the log', () => said().length > 3)
    expect(said().map((line) => /no answer for [123](\.\d)? seconds$/.test(line))).toEqual([
      true,
      true,
      true,
      true,
    ])
    expect(said().join('\n')).not.toMatch(APP_SAW)
  })
})

const redis = SPOILED_PROTOCOLS.Redis as SpoiledProtocol

describe.each(PHPS)('%s, a large session', (_name, underTest) => {
  test('a connection that is reset while a large session is sent costs nobody anything', async () => {
    const { relay, newVisitor, said } = await start(underTest, redis)
    const { visit, isLocked } = await newVisitor('a')
    relay.spoil(redis.replies.take, (client, reply) => {
      client.write(reply)
      client.once('data', () => client.resetAndDestroy())
    })
    expect(await visit('?big')).toMatchObject({ status: 200, text: 'a 2' })
    expect(await isLocked()).toBe(false)
    expect(await visit('?small')).toMatchObject({ status: 200, text: 'a 3' })
    expect(said()).toEqual([])
  })

  test('a server that reads nothing ends in bounded time', async () => {
    const { relay, newVisitor, said } = await start(underTest, redis)
    const { visit, unlock } = await newVisitor('a')
    expect((await visit('?big')).status).toBe(200)
    // The command is larger than all buffers on its way, and nobody reads it.
    relay.spoil(redis.replies.take, (client, reply) => {
      client.write(reply)
      relay.deafen(true)
    })
    // The page has been sent before its session is written, so the line in the log is all.
    await visit()
    await until('a line in the log', () => said().length > 0)
    expect(said()).toHaveLength(1)
    relay.reset()
    await unlock()
    expect((await visit('?small')).status).toBe(200)
    expect(said().join('\n')).not.toMatch(APP_SAW)
  })
})
