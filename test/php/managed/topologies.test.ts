import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CANARY, clusterService } from '../../../lab/bindings.ts'
import { until } from '../../../lab/processes/until.ts'
import { startRedisCluster } from '../../../lab/redis/cluster.ts'
import { startHiddenCluster } from '../../../lab/redis/hidden-cluster.ts'
import { countsRefused } from '../../../lab/redis/release.ts'
import { readOptions } from '../../../src/core/options.ts'
import { nodeHost } from '../../../src/host/node.ts'
import { askPhp, type PhpStart } from '../../../src/php/ask.ts'
import { storeQuestion } from '../../../src/php/questions.ts'
import { configure } from '../../support/php/configured.ts'
import { configureManaged } from '../../support/php/managed.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'
import { startPhpWeb } from '../../support/php/web.ts'

const PAGE = `<?php session_start(); $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1; usleep(2000); echo $_SESSION['n'];
  if (isset($_GET['hold'])) sleep((int) $_GET['hold']);`

async function startWeb(underTest: PhpUnderTest, ini: string) {
  const web = await startPhpWeb(underTest, ini, PAGE, 4)
  onTestFinished(web.stop)
  const first = await fetch(web.url)
  await first.text()
  const cookie = first.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  const visit = async (query = '') => {
    const answer = await fetch(`${web.url}${query}`, { headers: { cookie } })
    return { status: answer.status, text: await answer.text() }
  }
  return { visit, id: cookie.split('=')[1] ?? '', log: web.log }
}

const CLEAN = /php-sessions|warning|notice|error/i

describe.each(PHPS)('%s', (_name, underTest) => {
  test('a request on a cluster that waits for several seconds is served when the lock ends, also after a failover', async () => {
    const cluster = await startRedisCluster({ password: CANARY })
    onTestFinished(cluster.stop)
    const { visit, id, log } = await startWeb(
      underTest,
      configureManaged(underTest, clusterService(cluster.nodes)),
    )
    const key = `PHPREDIS_CLUSTER_SESSION:${id}`
    let expected = 1
    const wait = async () => {
      const holder = visit('?hold=4')
      await until('the lock to be held', () => cluster.cli('EXISTS', `{${key}}_LOCK`) === '1')
      const began = Date.now()
      expect(await visit()).toEqual({ status: 200, text: String(expected + 2) })
      expect(Date.now() - began).toBeGreaterThan(2000)
      expect(await holder).toEqual({ status: 200, text: String(expected + 1) })
      expected += 2
    }
    await wait()
    // MOVED: the slot goes to another master.
    const slot = Number(cluster.cli('CLUSTER', 'KEYSLOT', key))
    const owner = cluster.slotOwner(slot)
    const other = cluster.masters().find((node) => node !== owner)
    if (other === undefined) throw new Error('there is one master only')
    await cluster.migrateSlots([slot], owner, other)
    await wait()
    cluster.kill(cluster.slotOwner(slot))
    await cluster.untilOk()
    await wait()
    expect(log()).not.toMatch(CLEAN)
  })

  test('one address that hides a cluster is used with all keys of a session in one slot', async () => {
    const hidden = await startHiddenCluster({ password: CANARY })
    onTestFinished(hidden.stop)
    const credentials = { host: hidden.host, port: hidden.port, password: CANARY }
    const ini = configureManaged(underTest, { name: 'redis-sessions', credentials })
    const { visit, id, log } = await startWeb(underTest, ini)
    const holder = visit('?hold=2')
    const lock = `{PHPREDIS_SESSION:${id}}_LOCK`
    await until('the lock to be held', () => hidden.node.cli('EXISTS', lock) === '1')
    expect(await visit()).toEqual({ status: 200, text: '3' })
    expect((await holder).text).toBe('2')
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        for (let i = 0; i < 20; i++) expect((await visit()).status).toBe(200)
      }),
    )
    expect((await visit()).text).toBe('84')
    // Each connection learns it once.
    hidden.node.cli('CONFIG', 'RESETSTAT')
    for (let i = 0; i < 20; i++) await visit()
    // Redis before 6.2 does not count what it refuses.
    const calls = /cmdstat_evalsha:calls=(\d+)(?:,.*rejected_calls=(\d+))?/.exec(
      hidden.node.cli('INFO', 'commandstats'),
    )
    expect(Number(calls?.[1])).toBe(40)
    expect(Number(calls?.[2] ?? 0)).toBeLessThanOrEqual(4)
    await sleep(100)
    expect(hidden.node.cli('KEYS', '*')).toBe(`PHPREDIS_SESSION:${id}`)
    expect(log()).not.toMatch(CLEAN)
  })

  test('doctor sends a script with all keys of a session, as the handler does', async ({ skip }) => {
    if (!countsRefused({})) skip('this Redis does not count the commands that it refuses; 6.2 and later do')
    const hidden = await startHiddenCluster({ password: CANARY })
    onTestFinished(hidden.stop)
    // PHP runs while this process waits, the proxy in it included; the node itself refuses the same.
    const credentials = { host: hidden.host, port: hidden.node.port, password: CANARY }
    const env = { PHP_SESSIONS_HANDLER: 'managed' }
    const { plan } = configure(underTest, { name: 'redis-sessions', credentials }, env)
    if (plan.planned === undefined) throw new Error('no store is planned')
    const extensions = underTest.loadExtensions('igbinary', 'msgpack', 'redis').trim().split('\n')
    const { file, args } = underTest.php.cli(['-n', ...extensions.flatMap((line) => ['-d', line])])
    const question = storeQuestion(plan.planned, readOptions({ env, file: { value: {}, from: '' } }).options)
    const start: PhpStart = { command: [file, ...args], env: {} }
    const { commands } = askPhp(nodeHost, start, 'redis', question, () => undefined)
    expect(commands).toEqual([])
    expect(hidden.node.cli('INFO', 'commandstats')).toMatch(/cmdstat_eval:.*rejected_calls=1\b/)
    expect(hidden.node.cli('KEYS', '*')).toBe('')
  })
})
