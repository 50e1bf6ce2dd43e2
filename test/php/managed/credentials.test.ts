import { readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CANARY } from '../../../lab/bindings.ts'
import { until } from '../../../lab/processes/until.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { makeAuthority } from '../../../lab/servers/certificates.ts'
import { COUNT, startVisiting, visitPage } from '../../support/php/load/visits.ts'
import { configureManaged, startRedisService, storeFileOf } from '../../support/php/managed.ts'
import { PHPS_AND_STORES_ONCE } from '../../support/php/managed-stores.ts'
import { PHPS } from '../../support/php/php.ts'
import { startPhpWeb } from '../../support/php/web.ts'

function replaceInFile(file: string, pattern: RegExp, replacement: string): void {
  const text = readFileSync(file, 'utf8')
  expect(text).toMatch(pattern)
  writeFileSync(file, text.replace(pattern, replacement))
}

describe.each(PHPS_AND_STORES_ONCE)('%s', (_name, underTest, start) => {
  test.each<[string, (file: string) => void]>([
    ['is not there', rmSync],
    // Without it the handler would find no session, and log everybody out.
    ['has no prefix, as one by an earlier version', (file) => replaceInFile(file, /'prefix' => .*,/, '')],
  ])('a store file that %s is a status 503 that names it', async (_name, spoil) => {
    const { service } = await start()
    const ini = configureManaged(underTest, service)
    spoil(storeFileOf(ini))
    const { texts, log } = await visitPage(underTest, ini, COUNT, 1)
    expect(texts[0]).toMatch(/^Service temporarily unavailable/)
    await until('a line in the log', () => log().includes('php-sessions: '))
    expect(log()).toMatch(/php-sessions: .*php-sessions-store\.php cannot be read/)
  })

  test('another server in the file is used at once, although the old one still runs, whatever the settings of opcache', async () => {
    const [old, next] = [await start(), await start()]
    const opcache =
      'zend_extension=opcache\nopcache.enable_cli=1\nopcache.validate_timestamps=0\nopcache.file_update_protection=0\n'
    const ini = `${configureManaged(underTest, old.service)}${opcache}session.use_strict_mode=0\n`
    // opcache distinguishes files by the second in which they were written.
    utimesSync(storeFileOf(ini), 1, 1)
    const web = await startPhpWeb(underTest, ini, `<?php ${COUNT}`, 2)
    onTestFinished(web.stop)
    const ask = async () => (await fetch(web.url, { headers: { cookie: 'PHPSESSIONID=a' } })).text()
    expect([await ask(), await ask(), await ask()]).toEqual(['1 user', '2 user', '3 user'])
    renameSync(storeFileOf(configureManaged(underTest, next.service)), storeFileOf(ini))
    expect([await ask(), await ask(), await ask()]).toEqual(['1 user', '2 user', '3 user'])
  })
})

describe.each(PHPS)('%s', (_name, underTest) => {
  test('new credentials in the file are used by the next request, or when the old ones fail', async () => {
    const { redis, service } = await startRedisService()
    const ini = configureManaged(underTest, service)
    const { ask, log } = await startVisiting(underTest, ini, 2)
    expect(await ask()).toBe('2 user')
    const next = configureManaged(underTest, {
      ...service,
      credentials: { ...service.credentials, password: 'another' },
    })
    redis.cli('ACL', 'SETUSER', 'default', '>another')
    renameSync(storeFileOf(next), storeFileOf(ini))
    await redis.batch([
      ['ACL', 'SETUSER', 'default', `<${CANARY}`],
      ['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'],
    ])
    for (let n = 3; n < 9; n++) expect(await ask()).toBe(`${n} user`)
    expect(log()).not.toContain('php-sessions')
  })

  test('a certificate that is not trusted is named as the cause', async () => {
    const authority = makeAuthority()
    onTestFinished(authority.remove)
    const other = makeAuthority()
    onTestFinished(other.remove)
    const redis = await startRedis({ tls: authority.server() })
    onTestFinished(redis.stop)
    const ca = readFileSync(other.server().ca, 'utf8')
    const credentials = { host: 'localhost', tls_port: redis.tlsPort ?? 0, ca }
    const ini = configureManaged(underTest, { name: 'redis-sessions', credentials })
    const { log } = await visitPage(underTest, ini, COUNT, 1)
    await until('the log', () => log().includes('php-sessions: '))
    expect(log()).toMatch(/php-sessions: .*certificate verify failed/)
  })

  test('TLS with a private CA and a client certificate, an ACL user and a database', async () => {
    const authority = makeAuthority()
    const [tls, client] = [authority.server(), authority.client()]
    const user = { name: 'app', password: CANARY }
    const redis = await startRedis({ user, tls, demandsCertificate: true })
    onTestFinished(redis.stop)
    const credentials = {
      host: 'localhost',
      tls_port: redis.tlsPort ?? 0,
      username: 'app',
      password: CANARY,
      database: 3,
      ca: readFileSync(tls.ca, 'utf8'),
      client_cert: readFileSync(client.certificate, 'utf8'),
      client_key: readFileSync(client.key, 'utf8'),
    }
    const ini = configureManaged(underTest, { name: 'redis-sessions', credentials })
    const { texts, log } = await visitPage(underTest, ini, COUNT, 3)
    expect(texts).toEqual(['1 user', '2 user', '3 user'])
    expect(redis.cli('-n', '3', 'DBSIZE')).toBe('1')
    expect(log()).not.toMatch(/warning|php-sessions/i)
  })
})
