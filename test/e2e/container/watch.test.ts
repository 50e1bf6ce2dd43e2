import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import type { Fpm } from '../../../lab/php/fpm.ts'
import { until } from '../../../lab/processes/until.ts'
import { startSentinels } from '../../../lab/redis/sentinel.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { makeCertificates } from '../../../lab/servers/certificates.ts'
import { type Container, loadOn, startFpmIn } from '../../support/homes/container.ts'
import { withBindings } from '../../support/homes/mounted-bindings.ts'
import { tlsForOwn } from '../../support/php/configured.ts'
import { PAGES } from '../../support/php/load/visitors.ts'

const OLD = 'old-s3cret,+%&'
const NEW = 'new-s3cret,+%&'
const VISITORS = 6
/** The workers end often, and their successors must log in. */
const POOL = { workers: 6, lines: ['pm.max_requests = 20'] }

const start = (bound: Container) => startFpmIn(bound, { args: ['--watch'], pool: POOL, pages: PAGES })

/** The process ID of this exec's watcher. */
function watcherOf({ pid }: Fpm): number | undefined {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)
  return children.find((child) => {
    try {
      return readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('\0watch\0')
    } catch {
      return false
    }
  })
}

async function redisWith(password: string) {
  const redis = await startRedis({ password })
  onTestFinished(redis.stop)
  return redis
}

test.each(['native', 'managed'])(
  'a rotated password is used within seconds, no request fails, and no session is lost: %s',
  async (handler) => {
    const redis = await redisWith(OLD)
    const bound = withBindings({ PHP_SESSIONS_HANDLER: handler })
    bound.write({ type: 'redis', host: redis.host, port: redis.port, password: OLD })
    const fpm = await start(bound)
    const load = loadOn(fpm, VISITORS)
    await until('the first pages', () => load.settings() !== '')
    const before = load.settings()
    await sleep(1500)

    // As brokers do: both passwords are valid for a while.
    redis.cli('ACL', 'SETUSER', 'default', `>${NEW}`)
    const changed = Date.now()
    bound.write({ type: 'redis', host: redis.host, port: redis.port, password: NEW })
    await until('the new password to be used', () => load.settings() !== before)
    console.log(`rotation: used after ${Date.now() - changed} ms`)
    await sleep(10_000 - (Date.now() - changed))
    redis.cli('ACL', 'SETUSER', 'default', `<${OLD}`)
    await sleep(2000)

    expect(load.settings().split(' ')[0]).toBe(handler === 'native' ? 'redis' : 'user')
    const { requests, failed, lost } = await load.stop()
    console.log(`rotation: ${requests} requests, ${failed.length} failed, ${lost.length} updates lost`)
    expect({ failed, lost }).toEqual({ failed: [], lost: [] })
    expect(requests).toBeGreaterThan(100)
    expect(fpm.log()).toMatch(/^php-sessions: new settings: sessions are kept in Redis service sessions /m)
    expect(fpm.log()).toMatch(/^php-sessions: php-fpm \(process \d+\) reloads with the new settings$/m)
    expect(fpm.log()).not.toContain(NEW.slice(0, 8))
  },
)

test('a worker that calls itself php-fpm gets nothing run as root, and php-fpm is told once', async ({
  skip,
}) => {
  if (process.getuid?.() !== 0) skip('only root can start workers of another user')
  const redis = await redisWith(OLD)
  redis.cli('ACL', 'SETUSER', 'default', `>${NEW}`)
  const bound = withBindings()
  bound.write({ type: 'redis', host: redis.host, port: redis.port, password: OLD })
  const place = join(bound.directory, 'tmp')
  // The path of a running program that was removed ends in this word: there, the worker puts what root is to run.
  const decoy = `
    cp /bin/bash ${place}/php-fpm
    printf '#!/bin/sh\\nid -u >>${place}/ran\\n' >'${place}/php-fpm (deleted)'
    chmod 755 ${place}/php-fpm*
    bash -c 'exec -a "php-fpm: master process (${place}/conf)" ${place}/php-fpm -c "
      while [ -d ${place} ]; do touch ${place}/decoy; sleep 0.2; done"' &
    until [ -f ${place}/decoy ]; do sleep 0.1; done
    rm ${place}/php-fpm`
  writeFileSync(join(bound.directory, 'decoy.sh'), decoy)
  const pages = {
    ...PAGES,
    decoy: `shell_exec('sh ${bound.directory}/decoy.sh >/dev/null 2>&1 &'); echo posix_geteuid();`,
  }
  const fpm = await startFpmIn(bound, { args: ['--watch'], pool: POOL, pages })
  expect(await fpm.ask('decoy')).not.toMatch(/\b0$/)
  await until(
    'the decoy to run',
    () => existsSync(join(place, 'decoy')) && !existsSync(join(place, 'php-fpm')),
  )
  bound.write({ type: 'redis', host: redis.host, port: redis.port, password: NEW })
  await until('php-fpm to be told', () => fpm.log().includes('reloads with the new settings'))
  await sleep(4000)
  const told = [...fpm.log().matchAll(/php-fpm \(process (\d+)\) reloads/g)].map(([, pid]) => pid)
  expect(told).toHaveLength(1)
  expect(readFileSync(`/proc/${told[0]}/status`, 'utf8')).toMatch(/^Uid:\s0\s/m)
  expect(existsSync(join(place, 'ran'))).toBe(false)
  expect(readdirSync(bound.stateDirectory())).not.toContain('php-sessions.reload')
})

test('a binding that is changed in place and does not work is not used, and the log has the reason', async () => {
  const redis = await redisWith(OLD)
  const bound = withBindings()
  mkdirSync(bound.sessions)
  const entries = { type: 'redis', host: redis.host, port: redis.port, password: OLD }
  for (const [name, value] of Object.entries(entries))
    writeFileSync(join(bound.sessions, name), String(value))
  const fpm = await start(bound)
  const load = loadOn(fpm, VISITORS)
  await until('the first pages', () => load.settings() !== '')

  writeFileSync(join(bound.sessions, 'password'), NEW)
  await until('the refusal', () => fpm.log().includes('(watch.refused)'))
  writeFileSync(join(bound.sessions, 'port'), 'none')
  await until('the complaint', () => fpm.log().includes('(binding.value)'))
  rmSync(bound.sessions, { recursive: true })
  await until('the complaint', () => fpm.log().includes('(watch.gone)'))
  expect(fpm.log()).toContain('php-sessions: PHP keeps its current settings\n')

  bound.write(entries)
  await until('the end of it', () =>
    fpm.log().includes('php-sessions: recovered: sessions are kept in Redis'),
  )
  const { failed, lost } = await load.stop()
  expect({ failed, lost }).toEqual({ failed: [], lost: [] })
  expect(fpm.log()).not.toContain('reloads with the new settings')
  expect(fpm.log()).not.toContain(NEW.slice(0, 8))
  for (const id of ['watch.refused', 'binding.value', 'watch.gone'])
    expect(fpm.log().split(`(${id})`)).toHaveLength(2)
})

test('settings that the store accepts only later are used from then on', async () => {
  const redis = await redisWith(OLD)
  const bound = withBindings()
  const entries = { type: 'redis', host: redis.host, port: redis.port }
  bound.write({ ...entries, password: OLD })
  const fpm = await start(bound)
  const load = loadOn(fpm, VISITORS)
  await until('the first pages', () => load.settings() !== '')
  const before = load.settings()
  bound.write({ ...entries, password: NEW })
  await until('the refusal', () => fpm.log().includes('(watch.refused)'))
  redis.cli('ACL', 'SETUSER', 'default', `>${NEW}`)
  await until('the new password to be used', () => load.settings() !== before)
  expect(await load.stop()).toMatchObject({ failed: [], lost: [] })
})

test('a store that is bound later is used from then on, over TLS with its CA', async () => {
  const tls = makeCertificates()
  const redis = await startRedis({ password: OLD, tls, ...tlsForOwn() })
  onTestFinished(redis.stop)
  const bound = withBindings()
  const fpm = await start(bound)
  expect(await fpm.ask('count')).toMatch(/1 files \S+ served$/)
  const credentials = { type: 'redis', host: 'localhost', tls_port: redis.tlsPort ?? 0, password: OLD }
  bound.write({ ...credentials, ca: readFileSync(tls.ca, 'utf8') })
  await until('php-fpm to be told', () => fpm.log().includes('reloads with the new settings'))
  await until('php-fpm to be back', () => fpm.log().match(/ready to handle connections/g)?.length === 2)
  expect(await fpm.ask('count')).toMatch(/1 redis \S+ served$/)
  expect(readdirSync(bound.stateDirectory()).sort()).toEqual(
    expect.not.arrayContaining(['trial', 'php-sessions.reload']),
  )
})

test('after a failover the master that the Sentinels have chosen is used, and no session is lost', async () => {
  const sentinels = await startSentinels({ password: OLD })
  onTestFinished(sentinels.stop)
  const list = sentinels.sentinels.map(({ host, port }) => `${host}:${port}`).join(',')
  const bound = withBindings({ PHP_SESSIONS_HANDLER: 'native' })
  bound.write({ type: 'redis', sentinels: list, 'master-name': sentinels.masterName, password: OLD })
  const fpm = await start(bound)
  const load = loadOn(fpm, VISITORS)
  await until('the first pages', () => load.settings() !== '')
  const before = load.settings()
  await sleep(1500)
  // So that all acknowledged updates are on the replica: this is not a test of what Redis itself loses.
  sentinels.master().cli('CONFIG', 'SET', 'min-replicas-to-write', '1')
  sentinels.killMaster()
  await sentinels.untilNewMaster()
  const decided = Date.now()
  await until('the new master to be used', () => load.settings() !== before)
  console.log(`failover: used ${Date.now() - decided} ms after the Sentinels' decision`)
  await sleep(1000)
  const failedUntilThen = load.failures()
  await sleep(2000)
  const { requests, failed, lost } = await load.stop()
  console.log(`failover: ${requests} requests, ${failed.length} failed, ${lost.length} updates lost`)
  expect(failed.length).toBe(failedUntilThen)
  expect(lost).toEqual([])
})

test('a watcher that is killed at any moment is started again, and finishes the work of the one before', async () => {
  const redis = await redisWith(OLD)
  redis.cli('ACL', 'SETUSER', 'default', `>${NEW}`)
  const bound = withBindings()
  const write = (password: string) =>
    bound.write({ type: 'redis', host: redis.host, port: redis.port, password })
  write(OLD)
  const fpm = await start(bound)
  const load = loadOn(fpm, VISITORS)
  await until('the first pages', () => load.settings() !== '')
  const used = [load.settings()]
  let killed: number | undefined
  for (let i = 0; i < 6; i++) {
    write(i % 2 === 0 ? NEW : OLD)
    for (let kills = 0; kills < 2; kills++) {
      await until('another watcher', () => ![undefined, killed].includes(watcherOf(fpm)))
      await sleep(300 + Math.random() * 900)
      killed = watcherOf(fpm) ?? fail()
      process.kill(killed, 'SIGKILL')
    }
    await until('the other password to be used', () => load.settings() !== used.at(-1))
    used.push(load.settings())
  }
  expect(await load.stop()).toMatchObject({ failed: [], lost: [] })
  expect(new Set(used).size).toBe(2)

  await until('another watcher', () => ![undefined, killed].includes(watcherOf(fpm)))
  const watcher = watcherOf(fpm) ?? fail()
  process.kill(fpm.pid, 'SIGTERM')
  expect(await fpm.exited).toBe(0)
  expect(() => process.kill(watcher, 0)).toThrow('ESRCH')
  expect(bound.left()).toEqual([])
})

function fail(): never {
  throw new Error('there is no watcher')
}
