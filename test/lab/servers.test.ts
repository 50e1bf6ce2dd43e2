import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { runCommand } from '../../lab/processes/command.ts'
import type { Redis } from '../../lab/redis/options.ts'
import { startRedis } from '../../lab/redis/server.ts'
import { type Certificates, makeAuthority, makeCertificates } from '../../lab/servers/certificates.ts'
import { startMemcached } from '../../lab/servers/memcached.ts'
import { SERVERS, valkeyUnavailable } from '../support/servers.ts'

const ODD = `p,w +%&'"\${x}#;é\\`

test('Valkey of Debian 13 is tested, too, where the choice of server may matter', async ({ skip }) => {
  if (valkeyUnavailable !== undefined) skip(valkeyUnavailable)
  const valkey = await startRedis({ ...SERVERS[1]?.[1], password: ODD })
  onTestFinished(valkey.stop)
  expect(valkey.cli('INFO', 'server')).toMatch(/^valkey_version:\d/m)
})

test('Redis demands a password of any characters', async () => {
  const redis = await startRedis({ password: ODD })
  onTestFinished(redis.stop)
  expect(redis.cli('SET', 'k', 'v')).toBe('OK')
  const stranger = execFileSync('redis-cli', ['-p', String(redis.port), 'GET', 'k'], { encoding: 'utf8' })
  expect(stranger).toContain('NOAUTH')
})

test('Redis with a user refuses clients that give no name', async () => {
  const redis = await startRedis({ user: { name: 'app', password: ODD } })
  onTestFinished(redis.stop)
  expect(redis.cli('ACL', 'WHOAMI')).toBe('app')
  const stranger = execFileSync('redis-cli', ['-p', String(redis.port), 'PING'], { encoding: 'utf8' })
  expect(stranger).toContain('NOAUTH')
})

test('Redis speaks TLS with a certificate for localhost from a private CA', async () => {
  const tls = makeCertificates()
  onTestFinished(tls.remove)
  const redis = await startRedis({ tls })
  onTestFinished(redis.stop)
  expect(pingOverTls(redis, tls.ca)).toBe('PONG\n')
})

test('Redis with TLS can demand a certificate of its CA from its clients', async () => {
  const ca = makeAuthority()
  const stranger = makeAuthority()
  onTestFinished(ca.remove)
  onTestFinished(stranger.remove)
  const tls = ca.server()
  const redis = await startRedis({ tls, demandsCertificate: true })
  onTestFinished(redis.stop)
  const asWhom = ({ certificate, key }: Certificates) => ['--cert', certificate, '--key', key]
  expect(pingOverTls(redis, tls.ca, asWhom(ca.client()))).toBe('PONG\n')
  expect(pingOverTls(redis, tls.ca)).toMatch(/error/i)
  expect(pingOverTls(redis, tls.ca, asWhom(stranger.client()))).toMatch(/error/i)
})

test.each([
  ['valid', 'Verification: OK', 'localhost', 'server'],
  ['expired', 'certificate has expired', 'localhost', 'expired'],
  ['for another name', 'hostname mismatch', 'redis.internal', 'server'],
  // OpenSSL 3.0.2 says unsupported, later versions unsuitable.
  ['for clients only', /unsuitable|unsupported certificate purpose/, 'localhost', 'client'],
] as const)('openssl says of a certificate that is %s: %s', async (_what, verdict, name, of) => {
  const ca = makeAuthority()
  onTestFinished(ca.remove)
  const tls = ca[of]()
  const redis = await startRedis({ tls })
  onTestFinished(redis.stop)
  const args = ['s_client', '-connect', `127.0.0.1:${redis.tlsPort}`, '-CAfile', tls.ca]
  const { log } = await runCommand({ file: 'openssl', args: [...args, '-verify_hostname', name] })
  expect(log).toMatch(verdict)
})

test('Redis listens on a Unix socket and on ::1 when asked to', async () => {
  const redis = await startRedis({ socket: true, ipv6: true, lines: ['maxmemory 77mb'] })
  onTestFinished(redis.stop)
  expect(redis.cli('-s', String(redis.socket), 'SET', 'k', 'v')).toBe('OK')
  expect(redis.cli('-h', '::1', 'GET', 'k')).toBe('v')
  expect(redis.cli('CONFIG', 'GET', 'maxmemory')).toBe(`maxmemory\n${77 * 2 ** 20}`)
})

test('a Redis replicates another one, over TLS if both have it', async () => {
  const tls = makeCertificates()
  onTestFinished(tls.remove)
  const options = { password: ODD, tls, demandsCertificate: true }
  const master = await startRedis(options)
  onTestFinished(master.stop)
  const replica = await startRedis({ ...options, replicaOf: master })
  onTestFinished(replica.stop)
  master.cli('SET', 'k', 'v')
  await expect.poll(() => replica.cli('GET', 'k'), { timeout: 30_000 }).toBe('v')
  expect(replica.cli('INFO', 'replication')).toContain(`master_port:${master.tlsPort}\r\n`)
})

test('a Redis can take the ports of one that has ended', async () => {
  const first = await startRedis()
  first.cli('SET', 'k', 'v')
  await first.stop()
  const second = await startRedis({ at: first })
  onTestFinished(second.stop)
  expect(second.port).toBe(first.port)
  expect(second.cli('EXISTS', 'k')).toBe('0')
})

test('a frozen Redis accepts connections, never answers, and can still be ended', async () => {
  const redis = await startRedis()
  redis.signal('SIGSTOP')
  const socket = connect(redis.port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write('PING\r\n')
  const answer = await Promise.race([once(socket, 'data'), sleep(200, 'nothing')])
  expect(answer).toBe('nothing')
  socket.destroy()
  await redis.stop()
})

test('Memcached with SASL accepts PHP only by name and password', async () => {
  const memcached = await startMemcached({ sasl: { username: 'app', password: ODD } })
  onTestFinished(memcached.stop)
  expect(await setWithPhp(memcached.port, ODD)).toBe('stored')
  expect(await setWithPhp(memcached.port, 'wrong')).not.toBe('stored')
})

test('Memcached without SASL accepts everybody', async () => {
  const memcached = await startMemcached()
  onTestFinished(memcached.stop)
  expect(await setWithPhp(memcached.port)).toBe('stored')
})

function pingOverTls(redis: Redis, ca: string, args: readonly string[] = []): string {
  const target = ['-h', 'localhost', '-p', String(redis.tlsPort), '--tls', '--cacert', ca]
  const { stdout, stderr } = spawnSync('redis-cli', [...target, ...args, 'PING'], { encoding: 'utf8' })
  return stdout + stderr
}

async function setWithPhp(port: number, password?: string): Promise<string> {
  const script = `
    $m = new Memcached();
    $m->setOptions([Memcached::OPT_BINARY_PROTOCOL => true, Memcached::OPT_CONNECT_TIMEOUT => 1000]);
    if ($argc > 2) $m->setSaslAuthData('app', $argv[2]);
    $m->addServer('127.0.0.1', (int) $argv[1]);
    echo $m->set('k', 'v') ? 'stored' : $m->getResultMessage();`
  const args = ['-r', script, String(port), ...(password === undefined ? [] : [password])]
  return (await runCommand({ file: 'php', args })).stdout
}
