import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CANARY, type Service, showsCanary } from '../../../lab/bindings.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import type { RedisOptions } from '../../../lab/redis/options.ts'
import { everyRight } from '../../../lab/redis/release.ts'
import { startSentinels } from '../../../lab/redis/sentinel.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { makeAuthority } from '../../../lab/servers/certificates.ts'
import type { Finding } from '../../../src/core/finding.ts'
import { diagnose, type Machine, makeMachine } from '../../support/doctor/machine.ts'
import { startClusterService } from '../../support/php/managed.ts'
import { startMemcachedService } from '../../support/php/managed-memcached.ts'

interface Previous {
  readonly service?: Service
  /** The value of PHP_SESSIONS_PREVIOUS where it is no service. */
  readonly path?: string
  readonly extensions?: readonly string[]
  /** The service that keeps the sessions, if not one of its own. */
  readonly bound?: Service
  /** Breaks it once the settings are written. */
  readonly spoil?: () => unknown
}

async function redis(options: RedisOptions = {}, more: Readonly<Record<string, string | number>> = {}) {
  const server = await startRedis({ password: CANARY, ...options })
  onTestFinished(server.stop)
  return { server, ...at(server, more) }
}

function at({ host, port }: { readonly host: string; readonly port: number }, more = {}) {
  return { service: { name: 'old', tags: ['redis'], credentials: { host, port, password: CANARY, ...more } } }
}

function named(service: Service, tag: string): Previous {
  return { service: { ...service, name: 'old', tags: [tag] } }
}

/** What is wrong with the previous store, by what the doctor must find first; empty where all is well. */
const PREVIOUS: Readonly<Record<string, readonly [finds: string, make: () => Promise<Previous>]>> = {
  'one Redis': ['', () => redis()],
  'a cluster': ['', async () => named((await startClusterService()).service, 'redis')],
  'one Memcached': ['', async () => named((await startMemcachedService()).service, 'memcached')],
  Sentinels: ['', async () => (await sentinels()).previous],
  'a Redis for which PHP has no extension': [
    '',
    async () => ({ ...(await redis()), extensions: ['igbinary', 'msgpack', 'memcached'] }),
  ],
  'local files': ['', async () => ({ path: makeScratch('files') })],
  'a port where nobody listens': [
    'net.connect',
    async () => {
      const { server, service } = await redis()
      return { service, spoil: server.stop }
    },
  ],
  'a wrong password': ['auth.rejected', async () => redis({ password: 'another' })],
  'a user who may not run scripts': [
    'redis.permission',
    async () => {
      const { server } = await redis({ password: 'admin', user: { name: 'root', password: 'admin' } })
      server.cli('ACL', 'SETUSER', 'app', 'on', `>${CANARY}`, ...everyRight({}), '-evalsha', '-eval')
      return at(server, { username: 'app' })
    },
  ],
  'a certificate for another name': [
    'tls.name',
    async () => {
      const authority = makeAuthority()
      onTestFinished(authority.remove)
      const tls = authority.server(['DNS:redis.internal', 'IP:10.0.4.30'])
      const { server } = await redis({ tls })
      return at(server, {
        host: 'localhost',
        tls_port: server.tlsPort ?? 0,
        ca: readFileSync(tls.ca, 'utf8'),
      })
    },
  ],
  'a frozen Redis': [
    'net.silent',
    async () => {
      const { server, service } = await redis()
      return { service, spoil: () => server.signal('SIGSTOP') }
    },
  ],
  'a replica that refuses writes': [
    'redis.replica',
    async () => redis({ replicaOf: (await redis()).server }),
  ],
  'a Redis that is full': ['redis.full', async () => redis({ lines: ['maxmemory 1'] })],
  'Sentinels without a master': [
    'redis.master',
    async () => {
      const { previous, stopServers } = await sentinels()
      return { ...previous, spoil: stopServers }
    },
  ],
  'a directory that is not there': ['previous.failed', async () => ({ path: '/nowhere/sessions' })],
  'the bound Redis, under another name': [
    'previous.failed',
    async () => {
      const { server, service } = await redis()
      return { ...at(server, { host: 'localhost' }), bound: { ...service, name: 'new-redis-sessions' } }
    },
  ],
  'a Redis that is gone, for which PHP has no extension': [
    'net.connect',
    async () => {
      const { server, service } = await redis()
      return { service, spoil: server.stop, extensions: ['igbinary', 'msgpack', 'memcached'] }
    },
  ],
}

async function sentinels() {
  const all = await startSentinels({ password: CANARY })
  onTestFinished(all.stop)
  const places = all.sentinels.map(({ host, port }) => `${host}:${port}`)
  const credentials = { master_name: all.masterName, sentinels: places, password: CANARY }
  return {
    previous: named({ name: 'old', credentials }, 'redis'),
    stopServers: () => Promise.all(all.servers.map((server) => server.stop())),
  }
}

/** Has a page of the app take a session that the bound store does not have. */
function visit({ directory, env }: Machine): Promise<string> {
  const page = join(directory, 'app/page.php')
  writeFileSync(page, `<?php session_id(bin2hex(random_bytes(16))); session_start(); echo 'served';`)
  return new Promise((resolve) => execFile('php', [page], { env }, (_, out, err) => resolve(out + err)))
}

const OUTAGE = 'the previous session store cannot be used, and is tried again every 30 seconds'

describe('the doctor says of the previous store what the app meets there', () => {
  test.each(Object.entries(PREVIOUS))('%s', async (_, [finds, make]) => {
    const { service, path, extensions, spoil, bound: own } = await make()
    const hasExtension = extensions === undefined
    const bound =
      own ??
      (hasExtension
        ? { name: 'new-redis-sessions', credentials: (await redis()).service.credentials }
        : { ...(await startMemcachedService()).service, name: 'new-memcached-sessions' })
    const machine = await makeMachine({
      services: service === undefined ? [bound] : [service, bound],
      env: { PHP_SESSIONS_PREVIOUS: path ?? 'old' },
      app: 'zend_extension = opcache\n',
      ...(extensions === undefined ? {} : { extensions }),
    })
    await spoil?.()
    const { out, err, status } = await diagnose(machine, '--json')
    expect(showsCanary(out + err)).toBe(false)
    const { checks, findings } = JSON.parse(out)
    const ofPrevious = findings.filter(({ store }: Finding) => store === 'previous')
    const served = own === undefined ? await visit(machine) : ''
    if (finds === '') {
      expect({ findings, status }).toEqual({ findings: [], status: 0 })
      expect(served).toBe('served')
      return
    }
    expect([ofPrevious.at(0).id, ofPrevious.at(-1).id]).toEqual([finds, 'previous.store'])
    expect(ofPrevious).toEqual(findings)
    expect(status).toBe(1)
    for (const { title } of ofPrevious) expect(title).toMatch(path ?? /\bold\b/)
    const passed = checks.filter(({ status }: { status: string }) => status === 'ok')
    expect(passed.map(({ id }: { id: string }) => id)).toContain('auth.login')
    expect(ofPrevious.at(-1).title).toMatch(/get a status 503 for 60 seconds, and then a new session/)
    if (own !== undefined) return
    expect(served).toContain(OUTAGE)
    expect(served).toContain('which may have this session, cannot be used')
  })
})
