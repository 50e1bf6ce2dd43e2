import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CANARY, vcapServices } from '../../../lab/bindings.ts'
import { phpBuildpackV5 } from '../../../lab/cloudfoundry/php-buildpacks.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { startSentinels } from '../../../lab/redis/sentinel.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { makeAuthority } from '../../../lab/servers/certificates.ts'
import type { JsonObject } from '../../../src/core/binding.ts'
import {
  fixtureApp,
  PHP_BUILDPACKS,
  sessionsBuildpack,
  startTwice,
} from '../../support/homes/cloudfoundry.ts'
import { lifecycles } from '../../support/homes/lifecycles.ts'
import { tlsForOwn } from '../../support/php/configured.ts'

/** Writes a binding as Cloud Foundry's file-based bindings are; gives the environment that leads to it. */
const IN_FILES: Readonly<Record<string, (credentials: JsonObject) => Record<string, string | undefined>>> = {
  VCAP_SERVICES_FILE_PATH: (credentials) => {
    const file = join(makeScratch('bindings'), 'vcap_services')
    writeFileSync(file, vcapServices({ name: 'app-redis-sessions', label: 'p.redis', credentials }))
    return { VCAP_SERVICES: undefined, VCAP_SERVICES_FILE_PATH: file }
  },
  SERVICE_BINDING_ROOT: (credentials) => {
    const root = makeScratch('bindings')
    const directory = join(root, 'app-redis-sessions')
    mkdirSync(directory)
    for (const [name, value] of Object.entries({ ...credentials, type: 'p.redis' }))
      writeFileSync(join(directory, name), typeof value === 'string' ? value : JSON.stringify(value))
    return { VCAP_SERVICES: undefined, SERVICE_BINDING_ROOT: root }
  },
}

describe.each(lifecycles)('%s lifecycle', (_, cf) => {
  describe.each(PHP_BUILDPACKS)('%s', (_name, buildpack) => {
    test.each(Object.entries(IN_FILES))(
      'sessions are kept by a binding in files, with a private CA: %s',
      async (_name, write) => {
        const tls = makeAuthority().server()
        const server = await startRedis({ password: CANARY, tls, ...tlsForOwn() })
        onTestFinished(server.stop)
        const env = write({
          host: 'localhost',
          tls_port: server.tlsPort ?? 0,
          password: CANARY,
          cacrt: readFileSync(tls.ca, 'utf8'),
        })
        const staged = await cf.stage({ app: fixtureApp(), buildpacks: [sessionsBuildpack, buildpack], env })
        expect(staged.log).toContain(
          'Redis service app-redis-sessions, because its name contains redis-sessions',
        )
        const running = await startTwice(cf, staged.droplet, { env })
        onTestFinished(running.stop)
        expect((await running.visit(3)).map(({ visits }) => visits)).toEqual([1, 2, 3])
        for (const { log } of running.instances) expect(log()).not.toMatch(/warning|✗/i)
      },
    )

    test('a start with Sentinels bound asks them for the master', async () => {
      const group = await startSentinels({ password: CANARY, sentinelPassword: CANARY })
      onTestFinished(group.stop)
      const credentials = {
        master_name: group.masterName,
        sentinels: group.sentinels.map(({ host, port }) => ({ host, port })),
        password: CANARY,
        sentinel_password: CANARY,
      }
      const services = vcapServices({ name: 'app-redis-sessions', credentials })
      const staged = await cf.stage({
        app: fixtureApp(),
        buildpacks: [sessionsBuildpack, buildpack],
        services,
      })
      expect(staged).toMatchObject({ ok: true })
      const running = await startTwice(cf, staged.droplet, { services })
      onTestFinished(running.stop)
      expect((await running.visit(2)).map(({ visits }) => visits)).toEqual([1, 2])
      for (const { log } of running.instances) expect(log()).not.toMatch(/warning|✗/i)
      expect(group.master().cli('DBSIZE')).toBe('1')
    })
  })

  test('Sentinels that do not answer stop the start, and the error has the reason of each', async () => {
    const credentials = { master_name: 'm', sentinels: [{ host: '127.0.0.1', port: 1 }], password: CANARY }
    const services = vcapServices({ name: 'app-redis-sessions', credentials })
    const { droplet } = await cf.stage({
      app: fixtureApp(),
      buildpacks: [sessionsBuildpack, phpBuildpackV5],
      services,
    })
    const start = cf.startInstance(droplet, { index: 0, services })
    await expect(start).rejects.toThrow(/no Sentinel names a master m: 127\.0\.0\.1:1 Connection refused/)
  })
})
