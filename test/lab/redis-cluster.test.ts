import { expect, onTestFinished, test } from 'vitest'
import { type ClusterOptions, type RedisCluster, startRedisCluster } from '../../lab/redis/cluster.ts'
import type { Redis } from '../../lab/redis/options.ts'
import { makeAuthority } from '../../lab/servers/certificates.ts'

const ODD = `p,w +%&'"\${x}#;é\\`

test('a cluster survives the death of a master with every key', async () => {
  const cluster = await start({ password: ODD })
  const keys = Array.from({ length: 30 }, (_, index) => `key-${index}`)
  for (const key of keys) expect(cluster.cli('SET', key, key)).toBe('OK')
  const master = anotherMaster(cluster)
  cluster.kill(master)
  await cluster.untilOk()
  expect(cluster.masters()).toHaveLength(3)
  expect(cluster.masters()).not.toContain(master)
  for (const key of keys) expect(cluster.cli('GET', key)).toBe(key)
})

test('a slot moves with its keys, and its old owner redirects clients', async () => {
  const cluster = await start({ user: { name: 'app', password: ODD }, replicas: 0 })
  for (const key of ['{cart}a', '{cart}b', '{other}']) cluster.cli('SET', key, key)
  const slot = Number(cluster.cli('CLUSTER', 'KEYSLOT', '{cart}'))
  const from = cluster.slotOwner(slot)
  const to = anotherMaster(cluster, from)
  await cluster.migrateSlots([slot, slot + 1], from, to)
  await cluster.untilOk()
  expect(cluster.slotOwner(slot)).toBe(to)
  expect(to.cli('GET', '{cart}b')).toBe('{cart}b')
  expect(from.cli('GET', '{cart}b')).toContain(`MOVED ${slot} ${to.host}:${to.port}`)
  expect(cluster.cli('GET', '{other}')).toBe('{other}')
})

test('a cluster with TLS names its TLS ports, moves keys over TLS, and survives a master that freezes', async () => {
  const ca = makeAuthority()
  onTestFinished(ca.remove)
  const tls = ca.server()
  const cluster = await start({ tls, password: ODD, demandsCertificate: true })
  expect(cluster.cli('SET', 'key', 'value')).toBe('OK')
  const slot = Number(cluster.cli('CLUSTER', 'KEYSLOT', 'key'))
  const from = cluster.slotOwner(slot)
  const to = anotherMaster(cluster, from)
  await cluster.migrateSlots([slot], from, to)
  const { certificate, key } = ca.client()
  const asClient = ['--tls', '--cacert', tls.ca, '--cert', certificate, '--key', key]
  const answer = from.cli('-p', String(from.tlsPort), ...asClient, 'GET', 'key')
  expect(answer).toContain(`MOVED ${slot} ${to.host}:${to.tlsPort}`)
  expect(to.cli('GET', 'key')).toBe('value')
  cluster.kill(to, 'SIGSTOP')
  await cluster.untilOk()
  expect(cluster.masters()).not.toContain(to)
  expect(cluster.cli('GET', 'key')).toBe('value')
})

async function start(options: ClusterOptions): Promise<RedisCluster> {
  const cluster = await startRedisCluster(options)
  onTestFinished(cluster.stop)
  return cluster
}

function anotherMaster(cluster: RedisCluster, than?: Redis): Redis {
  const master = cluster.masters().find((candidate) => candidate !== than)
  if (master === undefined) throw new Error('there is no other master')
  return master
}
