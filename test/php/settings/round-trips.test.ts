import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CANARY, type Service } from '../../../lab/bindings.ts'
import { startRedisCluster } from '../../../lab/redis/cluster.ts'
import type { AccessOptions } from '../../../lab/redis/options.ts'
import { startSentinels } from '../../../lab/redis/sentinel.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { makeAuthority } from '../../../lab/servers/certificates.ts'
import { startMemcached } from '../../../lab/servers/memcached.ts'
import type { JsonObject } from '../../../src/core/binding.ts'
import type { Plan } from '../../../src/plan/plan.ts'
import { configure, tlsFor } from '../../support/php/configured.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'
import { STORES } from '../../support/stores.ts'

/** Behind Sentinels and on a cluster, too. */
const NATIVE = { PHP_SESSIONS_HANDLER: 'native' }

const VISIT = `
set_error_handler(function ($level, $message) { fwrite(STDOUT, "said: $message\\n"); return true; });
if (isset($argv[1])) session_id($argv[1]);
session_start() or exit("not started\\n");
$_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
session_write_close();
echo session_id(), ' ', $_SESSION['visits'];`

/** Runs two processes, one after the other: the second must find the session of the first. */
function expectRoundTrip(underTest: PhpUnderTest, ini: string): void {
  const visit = (...id: readonly string[]) => underTest.runPhp(ini, VISIT, ...id).toString()
  const [id = '', visits] = visit().split(' ')
  expect(visits).toBe('1')
  expect(visit(id)).toBe(`${id} 2`)
}

/** Whether a session starts. It is refused when phpredis 5 fails to start it, or when PHP ends with an exception. */
function startOf({ runPhp }: PhpUnderTest, ini: string): 'started' | 'refused' {
  try {
    return /said: |not started/.test(runPhp(ini, VISIT).toString()) ? 'refused' : 'started'
  } catch {
    return 'refused'
  }
}

const redis = (credentials: JsonObject): Service => ({ name: 'redis-sessions', credentials })
const memcached = (credentials: JsonObject): Service => ({ name: 'memcached-sessions', credentials })
const pem = (path: string) => readFileSync(path, 'utf8')

/** All of printable ASCII. */
const EVERY_CHARACTER = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('')

type Tls = Pick<AccessOptions, 'isTls12Only'>
type Bound = Promise<{ readonly service: Service; readonly stop: () => Promise<void> }>

/** Each starts the servers that a binding may lead to, and gives that binding. */
const WORKING: Readonly<Record<string, (more: Tls) => Bound>> = {
  'a password of every printable character': async () => {
    const server = await startRedis({ password: EVERY_CHARACTER })
    return {
      service: redis({ host: server.host, port: server.port, password: EVERY_CHARACTER }),
      stop: server.stop,
    }
  },
  'a user and a password of every printable character, in a URI': async () => {
    const name = EVERY_CHARACTER.replaceAll(' ', '')
    const server = await startRedis({ user: { name, password: EVERY_CHARACTER } })
    const uri = `redis://${encodeURIComponent(name)}:${encodeURIComponent(EVERY_CHARACTER)}@127.0.0.1:${server.port}`
    return { service: redis({ uri }), stop: server.stop }
  },
  'TLS with a private CA': async (more) => {
    const tls = makeAuthority().server()
    const server = await startRedis({ password: CANARY, tls, ...more })
    const credentials = {
      host: 'localhost',
      tls_port: server.tlsPort ?? 0,
      password: CANARY,
      cacrt: pem(tls.ca),
    }
    return { service: redis(credentials), stop: server.stop }
  },
  'a Unix socket': async () => {
    const server = await startRedis({ password: CANARY, socket: true })
    return { service: redis({ uri: `unix://${server.socket}`, password: CANARY }), stop: server.stop }
  },
  IPv6: async () => {
    const server = await startRedis({ password: CANARY, ipv6: true })
    return { service: redis({ host: '::1', port: server.port, password: CANARY }), stop: server.stop }
  },
  'Redis Cluster with a password': async () => {
    const cluster = await startRedisCluster({ password: CANARY })
    const nodes = cluster.nodes.map(({ host, port }) => `${host}:${port}`).join(',')
    return { service: redis({ 'cluster.nodes': nodes, password: CANARY }), stop: cluster.stop }
  },
  'Redis Cluster, its seeds by IPv6': async () => {
    const cluster = await startRedisCluster({ ipv6: true, replicas: 0 })
    const nodes = cluster.nodes.map(({ port }) => `[::1]:${port}`).join(',')
    return { service: redis({ 'cluster.nodes': nodes }), stop: cluster.stop }
  },
  'Redis Cluster with a user, over TLS with a private CA': async () => {
    const tls = makeAuthority().server()
    const user = { name: 'app&', password: CANARY }
    const cluster = await startRedisCluster({ user, tls })
    const hosts = cluster.nodes.map(({ tlsPort }) => ({ host: 'localhost', tls_port: tlsPort ?? 0 }))
    const credentials = { hosts, cluster_mode: true, username: user.name, password: CANARY, ca: pem(tls.ca) }
    return { service: redis(credentials), stop: cluster.stop }
  },
  'Sentinels with a password of their own': async () => {
    const group = await startSentinels({ password: CANARY, sentinelPassword: `${CANARY}2` })
    const credentials = {
      master_name: group.masterName,
      sentinels: group.sentinels.map(({ host, port }) => ({ host, port })),
      password: CANARY,
      sentinel_password: `${CANARY}2`,
    }
    return { service: redis(credentials), stop: group.stop }
  },
  'Sentinels over TLS with a private CA': async (more) => {
    const tls = makeAuthority().server()
    const group = await startSentinels({ password: CANARY, tls, ...more })
    const [first] = group.servers
    const credentials = {
      master_name: group.masterName,
      sentinels: group.sentinels.map(({ host, port, tlsPort }) => ({ host, port, tls_port: tlsPort ?? 0 })),
      password: CANARY,
      tls_port: first?.tlsPort ?? 0,
      cacrt: pem(tls.ca),
    }
    return { service: redis(credentials), stop: group.stop }
  },
  'a Memcached pool with weights': async () => {
    const [a, b] = await Promise.all([startMemcached(), startMemcached()])
    const servers = `127.0.0.1:${a.port}:2, 127.0.0.1:${b.port}:1`
    const stop = async () => {
      await Promise.all([a.stop(), b.stop()])
    }
    return { service: memcached({ servers }), stop }
  },
}

const expectError = (plan: Plan, id: string) => {
  expect(plan.planned).toBeUndefined()
  expect(plan.findings).toContainEqual(expect.objectContaining({ id, level: 'error' }))
}

describe.each(PHPS)('%s', (_, underTest) => {
  const more = tlsFor(underTest)

  test.each(Object.entries(STORES))('the next process finds the session: %s', async (_name, start) => {
    const store = await start(more)
    onTestFinished(store.stop)
    const { ini, plan } = configure(underTest, store.service, { ...store.env, ...NATIVE })
    expect(plan.findings.filter(({ level }) => level === 'error')).toEqual([])
    // An operator's trusted certificates come from the environment; the PHP of these tests has them in its ini.
    expectRoundTrip(underTest, `${ini}openssl.cafile = "${store.env.SSL_CERT_FILE ?? ''}"\n`)
  })

  test.each(Object.entries(WORKING))('the next process finds the session: %s', async (_name, start) => {
    const { service, stop } = await start(more)
    onTestFinished(stop)
    const { ini, plan } = configure(underTest, service, NATIVE)
    expect(plan.findings.filter(({ level }) => level === 'error')).toEqual([])
    expectRoundTrip(underTest, ini)
  })

  test('sessions are in the database that the binding names', async () => {
    const server = await startRedis()
    onTestFinished(server.stop)
    const { ini } = configure(underTest, redis({ uri: `redis://127.0.0.1:${server.port}/3` }))
    expectRoundTrip(underTest, ini)
    expect(server.cli('INFO', 'keyspace')).toMatch(/^db3:keys=1,/m)
    expect(server.cli('INFO', 'keyspace')).not.toContain('db0')
  })

  const isOld = underTest.php.name.includes('phpredis 5')

  test('phpredis finds an IPv6 address in the certificate where it can, and a finding says where it cannot', async () => {
    const tls = makeAuthority().server(['IP:::1'])
    const server = await startRedis({ tls, ipv6: true, ...more })
    onTestFinished(server.stop)
    const credentials = { host: '::1', tls_port: server.tlsPort ?? 0, ca: pem(tls.ca) }
    const { ini, plan } = configure(underTest, redis(credentials))
    if (isOld) expectError(plan, 'redis.ipv6-tls')
    else expectRoundTrip(underTest, ini)
  })

  test('phpredis sends a client certificate where it can, and a finding says where it cannot', async () => {
    const authority = makeAuthority()
    const [tls, client] = [authority.server(), authority.client()]
    const server = await startRedis({ tls, demandsCertificate: true, ...more })
    onTestFinished(server.stop)
    const credentials = {
      host: 'localhost',
      tls_port: server.tlsPort ?? 0,
      tls_ca: pem(tls.ca),
      tls_certificate: pem(client.certificate),
      tls_private_key: pem(client.key),
    }
    const { ini, plan } = configure(underTest, redis(credentials))
    if (isOld) expectError(plan, 'redis.client-certificate')
    else expectRoundTrip(underTest, ini)
  })

  test.each([
    ['for another name', () => makeAuthority().server(['DNS:redis.internal'])],
    ['that has expired', () => makeAuthority().expired()],
  ])('a certificate %s is refused', async (_name, certificates) => {
    const tls = certificates()
    const server = await startRedis({ tls, ...more })
    onTestFinished(server.stop)
    const at = (host: string) => redis({ host, tls_port: server.tlsPort ?? 0, ca: pem(tls.ca) })
    const { ini } = configure(underTest, at('localhost'))
    expect(startOf(underTest, ini)).toBe('refused')
  })

  test("a private CA leaves the app's other TLS as it was", async () => {
    const [service, world] = [makeAuthority().server(), makeAuthority().server()]
    const server = await startRedis({ tls: service, ...more })
    onTestFinished(server.stop)
    const web = createServer({ cert: pem(world.certificate), key: pem(world.key) }, (_request, response) =>
      response.end('the world'),
    ).listen(0, '127.0.0.1')
    await once(web, 'listening')
    onTestFinished(() => void web.close())
    const credentials = { host: 'localhost', tls_port: server.tlsPort ?? 0, ca: pem(service.ca) }
    // The world's CA stands for the CAs that the system trusts.
    const env = { SSL_CERT_FILE: world.ca }
    const { ini } = configure(underTest, redis(credentials), env)
    expectRoundTrip(underTest, ini)
    const { port } = web.address() as AddressInfo
    const code = `echo file_get_contents("https://localhost:${port}/");`
    expect(await underTest.startPhp(ini, code, env)).toBe('the world')
  })
})
