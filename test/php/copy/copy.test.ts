import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { showsCanary } from '../../../lab/bindings.ts'
import { startContained } from '../../../lab/processes/contained.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { until } from '../../../lab/processes/until.ts'
import { runCopy, startCopy } from '../../support/php/copying.ts'
import { startClusterService, startRedisService } from '../../support/php/managed.ts'
import { PREFIX, startMemcachedService } from '../../support/php/managed-memcached.ts'
import { PHPS } from '../../support/php/php.ts'

const COUNT = 1_200
const REDIS = 'PHPREDIS_SESSION:'
const CLUSTER = 'PHPREDIS_CLUSTER_SESSION:'
const data = (i: number) => `n|i:${i};text|s:4:"\u00e4 ${i % 10}";`
const ids = Array.from({ length: COUNT }, (_, i) => (i % 3 === 0 ? `${i}` : `id-${i},x`))
const named = <S extends object>(service: S, name: string) => ({ ...service, name })

async function redis(name: string) {
  const { redis: server, service } = await startRedisService()
  return {
    service: named(service, name),
    cli: server.cli,
    fill: async (prefix = REDIS) => {
      await server.batch(ids.map((id, i) => ['SETEX', `${prefix}${id}`, `${1000 + i}`, data(i)]))
    },
    get: async (id: string, prefix = REDIS): Promise<string | undefined> =>
      server.cli('GET', `${prefix}${id}`) || undefined,
    seconds: (id: string, prefix = REDIS) => Number(server.cli('TTL', `${prefix}${id}`)),
  }
}

async function cluster(name: string) {
  const { cluster: servers, service } = await startClusterService({ replicas: 0 })
  return {
    service: named(service, name),
    fill: async () => {
      for (let i = 0; i < 60; i++) servers.cli('SETEX', `${CLUSTER}${ids[i]}`, `${1000 + i}`, data(i))
    },
    get: async (id: string) => servers.cli('GET', `${CLUSTER}${id}`) || undefined,
    seconds: (id: string) => Number(servers.cli('TTL', `${CLUSTER}${id}`)),
  }
}

async function memcached(name: string, more: Parameters<typeof startMemcachedService>[0] = {}) {
  const { client, service } = await startMemcachedService(more)
  return {
    service: { ...named(service, name), tags: ['memcached'] },
    client,
    fill: async () => {
      for (let i = 0; i < COUNT; i++)
        await client.set(`${PREFIX}${ids[i]}`, Buffer.from(data(i)).toString('latin1'), 1000 + i)
    },
    get: async (id: string) => {
      const item = await client.get(`${PREFIX}${id}`)
      return item === undefined ? undefined : Buffer.from(item.value, 'latin1').toString()
    },
  }
}

const OLD = 'old'
const NEW = 'new-redis-sessions'
const JSON_FROM = ['--json', '--from', OLD]

describe.each(PHPS)('%s', (_name, php) => {
  test.each([
    ['one Redis', 'another', redis, redis, COUNT],
    ['one Redis', 'a cluster', redis, cluster, COUNT],
    ['a cluster', 'one Redis', cluster, redis, 60],
    ['a Memcached', 'one Redis', memcached, redis, COUNT],
    ['one Redis', 'a Memcached', redis, memcached, COUNT],
  ])(
    'copies from %s to %s: data and times to live; what is there stays; a second time it does nothing',
    async (_f, _t, start, startNext, count) => {
      const from = await start(OLD)
      const to = await startNext(startNext === memcached ? 'new-memcached-sessions' : NEW)
      await from.fill()
      const options = { services: [named({ ...from.service, tags: ['redis'] }, OLD), to.service] }
      const services = start === memcached ? [{ ...from.service }, to.service] : options.services
      const first = await runCopy(php, { services, args: JSON_FROM })
      expect(first.stderr).not.toMatch(/[✗!]/)
      expect(first).toMatchObject({ status: 0, json: { done: true, copied: count } })
      for (const i of [0, 1, 2, 59, ...(count > 60 ? [777, COUNT - 1] : [])]) {
        const id = ids[i] ?? ''
        expect(await to.get(id)).toBe(data(i))
        if ('seconds' in to) expect(Math.abs(to.seconds(id) - (1000 + i))).toBeLessThan(60)
      }
      const second = await runCopy(php, { services, args: JSON_FROM })
      expect(second.json).toMatchObject({
        copied: 0,
        skipped: { there: count, expired: 0, locked: 0, refused: 0 },
      })
      expect(showsCanary(first.stderr + first.stdout)).toBe(false)
    },
  )

  test('never touches what the target has, nor locks and keys of others', async () => {
    const [from, to] = [await redis(OLD), await redis(NEW)]
    from.cli('SETEX', `${REDIS}a`, '100', 'old')
    from.cli('SETEX', `${REDIS}b`, '100', 'old')
    from.cli('SET', `${REDIS}c`, 'for ever')
    for (const end of ['_LOCK', '_PREV', '_NEXT']) from.cli('SETEX', `${REDIS}a${end}`, '100', 'x')
    from.cli('HSET', `${REDIS}hash`, 'a', 'b')
    from.cli('SET', 'cart:1', 'x')
    to.cli('SETEX', `${REDIS}a`, '500', 'newer')
    const services = [{ ...from.service, tags: ['redis'] }, to.service]
    const { status, stdout } = await runCopy(php, { services, args: ['--from', OLD] })
    expect(status).toBe(0)
    expect(stdout).toMatch(/^copied 2 sessions, 0\.0 MB, in [\d.]+ s\nskipped 1, which are there already\n$/)
    expect([await to.get('a'), to.seconds('a') > 100, await to.get('b'), to.seconds('c')]).toEqual([
      'newer',
      true,
      'old',
      -1,
    ])
    const sessions = to
      .cli('KEYS', '*')
      .split('\n')
      .filter((key) => !key.endsWith('_PREV'))
    expect(sessions.sort()).toEqual(['a', 'b', 'c'].map((id) => `${REDIS}${id}`))
  })

  test('one prefix to another on the same server', async () => {
    const store = await redis(NEW)
    await store.fill('shop:')
    const args = ['--json', '--from', NEW, '--from-prefix', 'shop:']
    expect((await runCopy(php, { services: [store.service], args })).json).toMatchObject({ copied: COUNT })
    expect(await store.get('id-1,x')).toBe(data(1))
  })

  test('PHP’s files: depth, locked ones, and nothing that is no file of a session', async () => {
    const directory = makeScratch('files')
    const to = await redis(NEW)
    const at = (id: string) => join(directory, id.charAt(0), id.charAt(1), `sess_${id}`)
    const write = (id: string, text: string) => {
      mkdirSync(dirname(at(id)), { recursive: true })
      writeFileSync(at(id), text)
    }
    for (const [i, id] of ['abc', 'a1-', '12345', 'zz,'].entries()) write(id, data(i))
    write('old', 'x')
    utimesSync(at('old'), 1, 1)
    write('aXlocked', 'x')
    write('ab', '')
    writeFileSync(join(directory, 'secret'), 'x')
    symlinkSync(join(directory, 'secret'), join(directory, 'a/b', 'sess_ablink'))
    execFileSync('mkfifo', [join(directory, 'a/b', 'sess_abpipe')])
    mkdirSync(join(directory, 'a/b', 'sess_abdir'))
    writeFileSync(join(directory, 'a/b', 'sess_ab{}x'), 'x')
    writeFileSync(join(directory, 'a/b', 'sess_ab_LOCK'), 'x')
    symlinkSync('/etc', join(directory, 'e'))
    const holder = await hold(at('aXlocked'))
    const args = ['--json', '--from', `2;${directory}`]
    const { json, status } = await runCopy(php, { services: [to.service], args })
    holder.signal('SIGKILL')
    expect(json).toMatchObject({ copied: 5, skipped: { there: 0, expired: 1, locked: 1, refused: 0 } })
    expect(status).toBe(1)
    const keys = to
      .cli('KEYS', '*')
      .split('\n')
      .filter((key) => !key.endsWith('_PREV'))
    expect(keys.sort()).toEqual(['12345', 'a1-', 'ab', 'abc', 'zz,'].map((id) => `${REDIS}${id}`))
    expect(Math.abs(to.seconds('abc') - 1440)).toBeLessThan(60)
  })

  test('may be stopped at any moment and run again', async () => {
    const [from, to] = [await redis(OLD), await redis(NEW)]
    for (let i = 0; i < 10; i++)
      from.cli(
        'EVAL',
        `for i = 1, 3000 do redis.call('SETEX', '${REDIS}${i}x' .. i, 1000, 'data' .. i) end`,
        '0',
      )
    const services = [{ ...from.service, tags: ['redis'] }, to.service]
    const stopped = startCopy(php, { services, args: JSON_FROM })
    while (Number(to.cli('DBSIZE')) === 0 && !stopped.hasExited())
      await new Promise((done) => setTimeout(done, 20))
    stopped.signal('SIGINT')
    await stopped.exited
    const half = Number(to.cli('DBSIZE'))
    expect(half).toBeLessThan(60_000)
    const { json } = await runCopy(php, { services, args: JSON_FROM })
    expect((json?.copied ?? 0) + (json?.skipped.there ?? 0)).toBe(30_000)
    expect(to.cli('DBSIZE')).toBe('60000')
  })

  test('a Memcached with a login is refused with the reason', async () => {
    const [from, to] = [await memcached(OLD, { sasl: { username: 'app', password: 'pw' } }), await redis(NEW)]
    const { status, stderr } = await runCopy(php, {
      services: [from.service, to.service],
      args: ['--from', OLD],
    })
    expect(status).toBe(1)
    expect(stderr).toMatch(/asks for a login \(SASL\), and Memcached lists its keys only without one/)
  })
})

/** Holds the lock of a file, as a request does. */
async function hold(path: string) {
  const [, { php }] = PHPS[0] as (typeof PHPS)[number]
  const code = `$f = fopen($argv[1], 'r'); flock($f, LOCK_EX); echo 'held'; sleep(60);`
  const holder = startContained({ ...php.cli(['-n', '-r', code, '--', path], {}), cwd: '/' })
  await until('the lock', () => holder.stdout().includes('held'))
  return holder
}
