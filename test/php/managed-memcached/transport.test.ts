import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CANARY, showsCanary } from '../../../lab/bindings.ts'
import { until } from '../../../lab/processes/until.ts'
import { type Spoil, startSpoilingRelay } from '../../../lab/redis/spoiling-relay.ts'
import { startMemcached } from '../../../lab/servers/memcached.ts'
import { memcachedClient } from '../../../lab/servers/memcached-client.ts'
import { configureManaged } from '../../support/php/managed.ts'
import { PREFIX, serviceOf } from '../../support/php/managed-memcached.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'
import { SERVERS_OWN, startPhpWeb } from '../../support/php/web.ts'
import { PROPERTY_RUNS } from '../../support/texts.ts'

/** A hang; whatever the server does, an answer takes a few seconds. */
const LIMIT_MILLISECONDS = 20_000

// The app's error handler throws: no notice of the handler's may reach it, or the page.
const PAGE = `<?php
  set_error_handler(function ($level, $message) { throw new ErrorException("seen by the app: $message"); });
  session_start(); $_SESSION['who'] ??= $_GET['who'];
  $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;
  echo $_SESSION['who'], ' ', $_SESSION['n'];`

const UNAVAILABLE = 'Service temporarily unavailable. Please try again in a few seconds.\n'

type Matches = (reply: Buffer) => boolean
interface Protocol {
  readonly sasl?: { readonly username: string; readonly password: string }
  /** The replies of one page, by how they begin: those to the login, the take and the release. */
  readonly replies: Readonly<Record<'login' | 'take' | 'release', Matches>>
  readonly garbage: Readonly<Record<string, string>>
}

/** A binary answer: code, status, extras, value; `null` lets the number be that of no command. */
const answer = (code: number, status: number, length: number, value = '') => {
  const header = Buffer.alloc(24)
  header.writeUInt8(0x81, 0)
  header.writeUInt8(code, 1)
  header.writeUInt16BE(status, 6)
  header.writeUInt32BE(length, 8)
  return header.toString('latin1') + value
}

const ANY: Readonly<Record<string, string>> = {
  nothing: '',
  'an empty line': '\r\n',
  'another protocol': 'HTTP/1.1 400 Bad Request\r\n\r\n',
  'a TLS alert': '\x15\x03\x03\x00\x02\x02\x28',
  'an error': 'ERROR\r\n',
  'an error of a client': 'CLIENT_ERROR bad data chunk\r\n',
  'a line without an end': 'x'.repeat(1 << 20),
  'a RESP error': '-ERR unknown command\r\n',
}

const PROTOCOLS: Readonly<Record<string, Protocol>> = {
  'meta commands': {
    replies: {
      login: (reply) => reply.toString('latin1', 0, 7) === 'VERSION',
      take: (reply) => /^STORED\r\n(VA|EN)/.test(reply.toString('latin1', 0, 20)),
      release: (reply) => /^(HD O\d+\r\n)?(STORED|HD O\d+)\r\nHD O\d+\r\n$/.test(reply.toString('latin1')),
    },
    garbage: {
      ...ANY,
      'no number': 'STORED\r\nVA 10 c1\r\n0123456789\r\nEN\r\n',
      'another number': 'STORED\r\nVA 10 c1 O1\r\n0123456789\r\nVA 10 c1 O2\r\n0123456789\r\n',
      'no length': 'STORED\r\nVA c1 O1\r\n',
      'a negative length': 'STORED\r\nVA -1 c1 O1\r\n',
      'the largest length': 'STORED\r\nVA 9223372036854775807 c1 O1\r\n',
      'the length of another value': 'STORED\r\nVA 3 c1 O1\r\n0123456789\r\nEN\r\n',
      'no data': 'STORED\r\nEN\r\nEN\r\n',
      'a server that fails': 'SERVER_ERROR out of order\r\nSERVER_ERROR out of order\r\nSERVER_ERROR x\r\n',
      'more answers': 'STORED\r\nSTORED\r\nSTORED\r\nSTORED\r\nSTORED\r\n',
    },
  },
  'a login (SASL)': {
    sasl: { username: 'app', password: CANARY },
    replies: {
      login: (reply) => reply[1] === 0x21,
      take: (reply) => reply[1] === 0x02,
      release: (reply) => reply[1] === 0x1c || reply[1] === 0x03,
    },
    garbage: {
      ...ANY,
      'a request': answer(0, 0, 0).replace('\x81', '\x80'),
      'another command': answer(0x0a, 0, 0),
      'another number':
        answer(0x02, 0, 0) + answer(0, 0, 14, '\0\0\0\x000123456789') + answer(0, 0, 4, '\0\0\0\0'),
      'a length that is too large': answer(0x02, 0, 1000),
      'the largest length': answer(0x02, 0, 0xffffffff),
      'a refused login': answer(0x21, 0x20, 0),
      'an unknown status': answer(0x21, 0x99, 0),
      'more of a login': answer(0x21, 0x21, 0),
    },
  },
}

async function start(underTest: PhpUnderTest, { sasl }: Protocol) {
  const options = sasl === undefined ? {} : { sasl }
  const server = await startMemcached(options)
  onTestFinished(server.stop)
  const relay = await startSpoilingRelay(server.port)
  onTestFinished(relay.stop)
  const ini = configureManaged(underTest, serviceOf(relay, options).service)
  const web = await startPhpWeb(underTest, `${ini}log_errors=1\nmemory_limit=64M\n`, PAGE, 1)
  onTestFinished(web.stop)
  const client = memcachedClient(server.port, options)
  const newVisitor = async (who: string) => {
    const response = await fetch(`${web.url}?who=${who}`)
    expect(await response.text()).toBe(`${who} 1`)
    const cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    const lock = `${PREFIX}lock.${cookie.split('=')[1]}`
    const visit = async () => {
      const signal = AbortSignal.timeout(LIMIT_MILLISECONDS)
      const response = await fetch(web.url, { headers: { cookie }, signal })
      return { status: response.status, text: await response.text() }
    }
    return {
      visit,
      lockText: async () => (await client.get(lock))?.value,
      unlock: () => client.delete(lock),
    }
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

const instead =
  (change: (reply: Buffer) => Buffer | string): Spoil =>
  (client, reply) =>
    client.end(change(reply))

describe.each(PHPS)('%s', (_name, underTest) => {
  describe.each(Object.entries(PROTOCOLS))('%s', (_protocol, protocol) => {
    const { replies, garbage } = protocol

    test.each(['login', 'take', 'release'] as const)(
      'a reply to %s that is cut at any byte costs nobody anything',
      async (which) => {
        const { relay, newVisitor, said } = await start(underTest, protocol)
        const { visit, lockText } = await newVisitor('a')
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
          const { status, text } = await visit()
          expect({ at, status, text }).toEqual({ at, status: 200, text: `a ${++expected}` })
          expect({ at, lock: await lockText() }).toEqual({ at, lock: undefined })
        }
        expect(length).toBeGreaterThan(4)
        expect(said()).toEqual([])
      },
    )

    test.each(['login', 'take', 'release'] as const)(
      'garbage once in place of a reply to %s is a right page or a 503, and one line',
      async (which) => {
        const { relay, newVisitor, said } = await start(underTest, protocol)
        const { visit, unlock } = await newVisitor('a')
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
          await unlock()
          relay.reset()
        }
        expect(said().filter(showsCanary)).toEqual([])
        expect(said().join('\n')).not.toMatch(/Warning|Notice|Fatal|Deprecated|seen by the app/)
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
      expect(said().join('\n')).not.toMatch(/Warning|Notice|Fatal|Deprecated|seen by the app/)
    })

    test('a server that drips or falls silent inside a reply ends in bounded time', async () => {
      const { relay, newVisitor, said } = await start(underTest, protocol)
      const { visit, unlock } = await newVisitor('a')
      const drip: Spoil = (client, reply) => {
        let at = 0
        const timer = setInterval(() => {
          if (client.destroyed || at >= reply.length) clearInterval(timer)
          else client.write(reply.subarray(at, ++at))
        }, 500)
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
      expect(said().map((line) => /no answer for [12](\.\d)? seconds$/.test(line))).toEqual([
        true,
        true,
        true,
        true,
      ])
      expect(said().join('\n')).not.toMatch(/Warning|Notice|Fatal|Deprecated|seen by the app/)
    })
  })
})
