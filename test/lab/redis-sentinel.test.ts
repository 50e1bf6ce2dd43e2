import { spawnSync } from 'node:child_process'
import { expect, onTestFinished, test } from 'vitest'
import { hasSentinelUsers } from '../../lab/redis/release.ts'
import { type SentinelOptions, type Sentinels, startSentinels } from '../../lab/redis/sentinel.ts'
import { makeAuthority } from '../../lab/servers/certificates.ts'

const ODD = `p,w +%&'"\${x}#;é\\`

test('when the master dies, a replica that has its keys takes over', async () => {
  const redis = await start({ replicas: 1 })
  await expectFailover(redis)
  expect(redis.master()).toBe(redis.servers[1])
})

test('Sentinels demand their own password, not that of Redis, and know both', async () => {
  const redis = await start({ password: ODD, sentinelPassword: `s${ODD}`, replicas: 2 })
  expect(askSentinel(redis, 'port', { REDISCLI_AUTH: `s${ODD}` })).toMatch(/^127\.0\.0\.1\n\d+\n$/)
  expect(askSentinel(redis, 'port', { REDISCLI_AUTH: ODD })).toContain('NOAUTH')
  await expectFailover(redis, 'SIGSTOP')
})

test('Sentinels with TLS and ACL users name TLS ports, and refuse clients without a certificate', async ({
  skip,
}) => {
  if (!hasSentinelUsers({})) skip('the Sentinels of this Redis have no users; from 6.2 on they do')
  const ca = makeAuthority()
  onTestFinished(ca.remove)
  const redis = await start({
    tls: ca.server(),
    demandsCertificate: true,
    user: { name: 'app', password: ODD },
    sentinelUser: { name: 'watch', password: `s${ODD}` },
  })
  const login = { REDISCLI_AUTH: `s${ODD}` }
  const client = ca.client()
  const asStranger = ['--user', 'watch', '--tls', '--cacert', client.ca]
  const asClient = [...asStranger, '--cert', client.certificate, '--key', client.key]
  expect(askSentinel(redis, 'tlsPort', login, asClient)).toBe(`127.0.0.1\n${redis.servers[0]?.tlsPort}\n`)
  expect(askSentinel(redis, 'tlsPort', login, asStranger)).toMatch(/error/i)
  await expectFailover(redis)
})

async function start(options: SentinelOptions): Promise<Sentinels> {
  const redis = await startSentinels(options)
  onTestFinished(redis.stop)
  return redis
}

async function expectFailover(redis: Sentinels, by?: 'SIGSTOP'): Promise<void> {
  const first = redis.master()
  expect(first.cli('SET', 'key', 'value')).toBe('OK')
  expect(redis.killMaster(by)).toBe(first)
  const second = await redis.untilNewMaster()
  expect(second).not.toBe(first)
  expect(second.cli('GET', 'key')).toBe('value')
  expect(second.cli('SET', 'key', 'later')).toBe('OK')
}

function askSentinel(redis: Sentinels, port: 'port' | 'tlsPort', env: object, args: readonly string[] = []) {
  const where = ['-p', String(redis.sentinels[0]?.[port])]
  const question = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', redis.masterName]
  const { stdout, stderr } = spawnSync('redis-cli', [...where, ...args, ...question], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...env },
  })
  return stdout + stderr
}
