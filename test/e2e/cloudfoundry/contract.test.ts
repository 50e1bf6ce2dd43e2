import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { vcapServices } from '../../../lab/bindings.ts'
import type { Instance, Staged } from '../../../lab/cloudfoundry/lifecycle.ts'
import { phpBuildpackV4, phpBuildpackV5 } from '../../../lab/cloudfoundry/php-buildpacks.ts'
import { fixtureApp, sessionsBuildpack, startTwice } from '../../support/homes/cloudfoundry.ts'
import type { RunningApp } from '../../support/homes/instances.ts'
import { lifecycles } from '../../support/homes/lifecycles.ts'
import { tlsForOwn } from '../../support/php/configured.ts'
import { STORES, type StartedStore } from '../../support/stores.ts'

const SCAN_DIRECTORY = { '.bp-config/php/php.ini.d/app.ini': 'precision = 9\n' }
const PLATFORMS = [
  ['php_buildpack 5', phpBuildpackV5, fixtureApp()],
  ['php_buildpack 4', phpBuildpackV4, fixtureApp()],
  ['php_buildpack 4 with php.ini.d', phpBuildpackV4, fixtureApp(SCAN_DIRECTORY)],
] as const

describe.each(lifecycles)('%s lifecycle', (_, cf) => {
  describe.each(PLATFORMS)('%s', (_platform, buildpack, app) => {
    test('C1: with nothing bound the session is lost on the other instance, and the router makes visitors stick', async () => {
      const staged = await cf.stage({ app, buildpacks: [sessionsBuildpack, buildpack] })
      expect(staged.log).toContain('Sessions stay in local files')
      const running = await startTwice(cf, staged.droplet, {})
      try {
        const [first, second] = await running.visit(2)
        expect(first).toMatchObject({
          visits: 1,
          cookies: ['JSESSIONID', '__VCAP_ID__'],
          ini: { 'session.save_handler': 'files' },
        })
        expect(second).toMatchObject({ visits: 2, servedBy: first?.servedBy })
        const [home, other] = running.instances
        if (home === undefined) throw new Error('two instances were started')
        // Without the router's help, as after a crash of the instance, the session is lost.
        await home.kill()
        const visits = await running.visit(1)
        expect(visits[0]).toMatchObject({ visits: 1, servedBy: other?.index })
        expect(other?.log().match(/php-sessions: sessions are kept in local files/g)).toHaveLength(1)
      } finally {
        await running.stop()
      }
    })

    describe.each(Object.keys(STORES))('%s', (name) => {
      const isRedis = name.startsWith('Redis')
      const handler = isRedis ? 'redis' : 'memcached'
      let store: StartedStore
      let staged: Staged
      let running: RunningApp<Instance>

      beforeAll(async () => {
        store = (await STORES[name]?.(tlsForOwn())) as StartedStore
        const services = vcapServices(store.service)
        staged = await cf.stage({ app, buildpacks: [sessionsBuildpack, buildpack], services, env: store.env })
        expect(staged.log).toContain(
          `service ${store.service.name}, because its name contains ${handler}-sessions`,
        )
        expect(staged).toMatchObject({ ok: true })
        running = await startTwice(cf, staged.droplet, { services, env: store.env })
      })
      afterAll(async () => {
        await running?.stop()
        await store?.stop()
      })

      test(`C2 C3 C6 C8: the session of one instance is found on the other`, async () => {
        const told = await running.visit(4)
        expect(told.map(({ visits }) => visits)).toEqual([1, 2, 3, 4])
        expect(told.map(({ servedBy }) => servedBy)).toEqual([0, 1, 0, 1])
        expect(told[0]?.cookies).toEqual(['PHPSESSIONID'])
        expect(told[0]?.ini).toMatchObject({
          'session.name': 'PHPSESSIONID',
          'session.save_handler': handler,
        })
      })

      test('C5 C7: the extension is loaded with those it requires, without a warning', async () => {
        const [told] = await running.visit(1)
        expect(told?.extensions.toSorted()).toEqual(['igbinary', 'msgpack', handler].toSorted())
        expect(running.instances[0]?.log()).not.toMatch(/warning|already loaded|unable to load/i)
      })

      if (name === 'Memcached with SASL')
        test('C9: php-memcached gets the binary protocol and the login', async () => {
          const [told] = await running.visit(1)
          expect(told?.ini).toMatchObject({
            'memcached.sess_binary_protocol': '1',
            'memcached.sess_sasl_username': 'app',
          })
        })

      test('a task and cf ssh have the same sessions', async () => {
        const services = vcapServices(store.service)
        const code = `php -r 'session_start(); echo ini_get("session.save_handler"), session_id() === "" ? " none" : " started";'`
        const task = await cf.runTask(staged.droplet, code, { services, env: store.env })
        // The launcher may have printed something before.
        const answer = { status: 0, stdout: expect.stringMatching(new RegExp(`^${handler} started$`, 'm')) }
        expect(task).toMatchObject(answer)
        const instance = running.instances[1]
        if (instance === undefined) throw new Error('two instances were started')
        expect(await cf.openShell(instance, code)).toMatchObject(answer)
        // The profile scripts of the shell have not changed the running app.
        expect((await running.visit(2)).map(({ visits }) => visits)).toEqual([1, 2])
      })

      test('the log of a start says once where the sessions are', () => {
        for (const { log } of running.instances)
          expect(log().match(/php-sessions: sessions are kept in /g)).toHaveLength(1)
      })
    })
  })
})
