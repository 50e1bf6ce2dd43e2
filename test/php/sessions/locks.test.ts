import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { vcapServices } from '../../../lab/bindings.ts'
import { askFpm, cookieIn } from '../../../lab/php/fastcgi.ts'
import { startFpm } from '../../../lab/php/fpm.ts'
import { writeProgram } from '../../../lab/processes/program.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { main } from '../../../src/cli/main.ts'
import { nodeHost } from '../../../src/host/node.ts'
import { LOCKING_STORES } from '../../support/php/locking-stores.ts'
import { configureManaged } from '../../support/php/managed.ts'
import { PREFIX, startMemcachedService } from '../../support/php/managed-memcached.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'

const PAGES = {
  hold: `session_start(); while (!file_exists($_GET['go'])) { usleep(1000); clearstatcache(); } echo 'done';`,
  count: `session_start(); echo 'done';`,
}

/** What `php-sessions locks` answers. */
function listLocks({ php, loadExtensions }: PhpUnderTest, env: Readonly<Record<string, string>>) {
  const bin = makeScratch('bin')
  const lines = loadExtensions('igbinary', 'msgpack', 'redis', 'memcached').trim().split('\n')
  writeProgram(join(bin, 'php'), php.cli(['-n', ...lines.flatMap((line) => ['-d', line])], {}))
  const out: string[] = []
  const err: string[] = []
  const host = {
    ...nodeHost,
    env: { ...env, PATH: `${bin}:${process.env.PATH}` },
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
  }
  const status = main(host, ['locks', '--json', '--ids', '--app', bin])
  return { status, err: err.join(''), said: out.length === 0 ? undefined : JSON.parse(out.join('')) }
}

describe.each(PHPS)('%s', (_name, underTest) => {
  test.each(LOCKING_STORES)(
    'locks are listed with those that hold them and wait, in %s',
    async (name, startStore) => {
      const store = await startStore()
      const ini = configureManaged(underTest, store.service)
      const env = { CF_INSTANCE_INDEX: '7' }
      const pools = [{ workers: 4, lines: ['clear_env = no'] }]
      const fpm = await startFpm({ php: underTest.php, ini: () => ini, pools, env, pages: PAGES })
      onTestFinished(fpm.stop)
      const go = join(fpm.directory, 'go')
      const cookie = cookieIn(await fpm.ask('count')) ?? ''
      const id = cookie.split('=')[1] ?? ''
      const ask = (page: string) =>
        askFpm(fpm.ports[0] ?? 0, join(fpm.directory, `${page}.php`), cookie, {
          REQUEST_URI: `/${page}?x=secret`,
          QUERY_STRING: `go=${go}`,
        })
      const holder = ask('hold')
      for (let tries = 0; (await store.lock(id)) === '' && tries < 600; tries++) await sleep(20)
      const waiter = ask('count')
      for (let tries = 0; (await store.waiting(id)) === 0 && tries < 600; tries++) await sleep(20)
      const bound = { PHP_SESSIONS_HANDLER: 'managed', VCAP_SERVICES: vcapServices(store.service) }
      const { status, err, said } = listLocks(underTest, bound)
      writeFileSync(go, '')
      await Promise.all([holder, waiter])
      // Without the text protocol there is no list of keys.
      if (/SASL|binary/.test(name)) {
        expect(status).toBe(1)
        expect(err).toMatch(/lists its keys only without one|does not list its keys/)
        return
      }
      expect(err).toBe('')
      expect(said.longest).toEqual([
        {
          handler: 'managed',
          instance: '7',
          process: expect.any(Number),
          method: 'GET',
          path: '/hold',
          heldSeconds: expect.any(Number),
          endsInSeconds: expect.any(Number),
          waiting: 1,
          id,
        },
      ])
      expect([status, said.locks, said.waiting]).toEqual([0, 1, 1])
      expect(said.longest[0].heldSeconds).toBeGreaterThanOrEqual(0)
    },
  )
})

/** Replaces and reads each of so many locks, again and again, as those that wait for them do. */
const USE = `
  const [port, locks] = process.argv.slice(1).map(Number)
  const socket = require('node:net').connect(port, '127.0.0.1')
  const all = Array.from({ length: locks }, (_, i) => 'memc.sess.key.lock.id' + i)
    .map((key) => 'replace ' + key + ' 0 60 4\\r\\nabcd\\r\\nget ' + key + '\\r\\n').join('')
  let lines = 0
  socket.on('data', (data) => {
    lines += data.filter((byte) => byte === 10).length
    if (lines >= 4 * locks) [lines] = [0, socket.write(all)]
  })
  socket.write(all)`

test('of 200 locks on a Memcached none is missing, while all of them are in use', async () => {
  const { service, client, server } = await startMemcachedService()
  for (let i = 0; i < 200; i++) await client.set(`${PREFIX}lock.id${i}`, 'abcd', 60)
  const users = [1, 2].map(() => spawn(process.execPath, ['-e', USE, String(server.port), '200']))
  onTestFinished(() => void users.map((user) => user.kill()))
  await sleep(500)
  const bound = { PHP_SESSIONS_HANDLER: 'managed', VCAP_SERVICES: vcapServices(service) }
  const underTest = PHPS[0]?.[1] as PhpUnderTest
  const counts = Array.from({ length: 3 }, () => listLocks(underTest, bound).said?.locks)
  expect(counts).toEqual([200, 200, 200])
})
