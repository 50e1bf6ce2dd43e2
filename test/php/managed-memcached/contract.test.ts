import { connect } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startSpoilingRelay } from '../../../lab/redis/spoiling-relay.ts'
import { configure } from '../../support/php/configured.ts'
import { configureManaged, PREPEND } from '../../support/php/managed.ts'
import {
  MEMCACHED_SERVERS,
  PREFIX,
  serviceOf,
  startMemcachedService,
} from '../../support/php/managed-memcached.ts'
import { PHPS } from '../../support/php/php.ts'

const OUTSIDE = `ini_set('session.use_cookies', '0'); ini_set('session.cache_limiter', '');`
/** Writes a session with this id, and reads it. */
const WRITE = `${OUTSIDE} ini_set('session.use_strict_mode', '0'); session_id($_SERVER['ID']); session_start();
  $_SESSION['who'] = ini_get('session.save_handler'); $_SESSION['bytes'] = "\\0\\xff"; session_write_close();`
const READ = `${OUTSIDE} session_id($_SERVER['ID']); session_start(); echo session_id() === $_SERVER['ID'] ? 'same ' : 'another ', $_SESSION['who'] ?? 'nobody';`

const id = 'abcdefghijklmnopqrstuvwxyz012345'
const DAY = 86_400

/** What the server says of an item, by meta commands: flags, seconds to live and the value. */
async function inspect(port: number, key: string): Promise<readonly string[]> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1')
  let said = ''
  socket.on('data', (data) => {
    said += String(data)
    if (said.endsWith('MN\r\n')) socket.end()
  })
  socket.write(`mg ${key} f t v\r\nmn\r\n`)
  await new Promise((resolve) => socket.on('close', resolve))
  return said.split(/\r\n| /)
}

describe.each(PHPS)('%s', (_name, underTest) => {
  // Not at once: a relay of this process may be on the way.
  const run = (ini: string, code: string, ID: string) => underTest.startPhp(ini, code, { ID })

  // A server of an earlier version is spoken to in the binary protocol, and this one understands both.
  describe.each([
    ['meta commands', false],
    ['the binary protocol', true],
  ] as const)('%s', (_protocol, isEarlier) => {
    const start = async () => {
      const { server } = await startMemcachedService()
      if (!isEarlier) return { server, ...serviceOf(server) }
      const relay = await startSpoilingRelay(server.port)
      onTestFinished(relay.stop)
      const spoken = /^(VERSION \S+\r\n)?(MN\r\n)*$/
      relay.spoil(
        (reply) => spoken.test(reply.toString('latin1')),
        (client, reply) =>
          client.write(
            reply
              .toString()
              .replace(/VERSION \S+/, 'VERSION 1.5.6')
              .replaceAll('MN', 'ERROR'),
          ),
        false,
      )
      return { server, ...serviceOf(relay) }
    }

    test.each([[0], [1440], [30 * DAY], [31 * DAY], [400 * DAY]])(
      'bytes, flags and time to live are those of the native handler, where a session lives %i seconds',
      async (lifetime) => {
        const { server, service } = await start()
        const lived = `ini_set('session.gc_maxlifetime', '${lifetime}');`
        const native = `${configure(underTest, service).ini}`
        const managed = configureManaged(underTest, service)
        await run(native, `${lived}${WRITE}`, id)
        const [, size, flags, ttl, ...value] = await inspect(server.port, PREFIX + id)
        await run(managed, `${PREPEND}${lived}${WRITE}`, `${id}b`)
        const [, ownSize, ownFlags, ownTtl, ...ownValue] = await inspect(server.port, `${PREFIX}${id}b`)
        expect(flags).toBe('f0')
        // The name of the handler is in the value: `user` in place of `memcached`.
        expect([Number(ownSize) + 5, ownFlags]).toEqual([Number(size), flags])
        expect(ownValue.join(' ').replace('4:"user"', '9:"memcached"')).toBe(value.join(' '))
        const seconds = [ttl, ownTtl].map((text) => Number(text?.slice(1)))
        expect(Math.abs((seconds[0] ?? 0) - (seconds[1] ?? 99))).toBeLessThan(10)
      },
    )

    test('a session is the same to both handlers, in both directions, and an unknown id to neither', async () => {
      const { service } = await start()
      const native = configure(underTest, service).ini
      const managed = configureManaged(underTest, service)
      await run(native, WRITE, id)
      expect(await run(managed, `${PREPEND}${READ}`, id)).toBe('same memcached')
      await run(managed, `${PREPEND}${WRITE}`, `${id}b`)
      expect(await run(native, READ, `${id}b`)).toBe('same user')
      expect(await run(managed, `${PREPEND}${READ}`, `${id}c`)).toBe('another nobody')
    })
  })

  test.each(MEMCACHED_SERVERS)(
    'a session ends for the native handler, too, with %s',
    async (_server, which) => {
      const { service, client } = await startMemcachedService(which)
      const managed = configureManaged(underTest, service)
      await run(configure(underTest, service).ini, WRITE, id)
      const destroy = `${OUTSIDE} session_id($_SERVER['ID']); session_start(); session_destroy();`
      await run(managed, `${PREPEND}${destroy}`, id)
      expect(await client.get(PREFIX + id)).toBeUndefined()
      expect(await client.get(`${PREFIX}lock.${id}`)).toBeUndefined()
    },
  )

  test('PHP_SESSIONS_PREFIX is in front of all keys, the lock too', async () => {
    const { service, client } = await startMemcachedService()
    const managed = configureManaged(underTest, service, { PHP_SESSIONS_PREFIX: 'shop:' })
    const hold = `${OUTSIDE} ini_set('session.use_strict_mode', '0'); session_id($_SERVER['ID']); session_start(); $_SESSION['a'] = 1; exec('kill -9 ' . getmypid());`
    await expect(run(managed, `${PREPEND}${hold}`, id)).rejects.toThrow()
    expect((await client.get(`shop:lock.${id}`))?.value).toMatch(/^[0-9a-f]{10} !\d+\|/)
  })

  test('an id that is the name of a lock, or too long for a key, is never a key', async () => {
    const { service, client } = await startMemcachedService()
    const managed = configureManaged(underTest, service)
    await client.set(`${PREFIX}lock.${id}`, 'who|s:5:"owner";', 60)
    for (const strange of [`lock.${id}`, 'x'.repeat(250)])
      expect(await run(managed, `${PREPEND}${READ}`, strange)).toBe('another nobody')
    // 250 bytes with the prefix and `lock.` is the longest.
    const longest = 'x'.repeat(250 - `${PREFIX}lock.`.length)
    await run(managed, `${PREPEND}${WRITE}`, longest)
    expect(await run(managed, `${PREPEND}${READ}`, longest)).toBe('same user')
    expect(await run(managed, `${PREPEND}${READ}`, `${longest}x`)).toBe('another nobody')
  })
})
