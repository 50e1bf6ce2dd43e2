import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { CANARY, redisService, type Service, vcapServices } from '../../../lab/bindings.ts'
import { phpBuildpackV5 } from '../../../lab/cloudfoundry/php-buildpacks.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { filesWith } from '../../support/files.ts'
import {
  fixtureApp,
  PHP_BUILDPACKS,
  sessionsBuildpack,
  startTwice,
} from '../../support/homes/cloudfoundry.ts'
import { lifecycles } from '../../support/homes/lifecycles.ts'

const redisAt = (
  { host, port }: { host: string; port: number },
  password: string,
  name = 'app-redis-sessions',
): Service => ({
  ...redisService,
  name,
  credentials: { host, port, password },
})

describe.each(lifecycles)('%s lifecycle', (_, cf) => {
  test.each(PHP_BUILDPACKS)(
    'no secret in the droplet, the cache or the log: %s',
    async (_name, buildpack) => {
      // A plain word, which no encoding can hide.
      const password = 'CanaryThatMustNotBeFound'
      const services = vcapServices({ ...redisService, credentials: { host: 'h', port: 1, password } })
      const staged = await cf.stage({
        app: fixtureApp(),
        buildpacks: [sessionsBuildpack, buildpack],
        services,
      })
      expect(staged).toMatchObject({ ok: true })
      const droplet = makeScratch('droplet')
      execFileSync('tar', ['-xzf', staged.droplet, '-C', droplet])
      expect(filesWith('redis', droplet)).not.toBe('')
      for (const place of [droplet, staged.cacheDirectory]) expect(filesWith(password, place)).toBe('')
      expect(staged.log).not.toContain(password)
    },
  )

  test.each(PHP_BUILDPACKS)(
    'a rotated password needs a restart of the same droplet, no restage: %s',
    async (_name, buildpack) => {
      const server = await startRedis({ password: 'old' })
      try {
        const before = { services: vcapServices(redisAt(server, 'old')) }
        const { droplet } = await cf.stage({
          app: fixtureApp(),
          buildpacks: [sessionsBuildpack, buildpack],
          ...before,
        })
        const first = await startTwice(cf, droplet, before)
        expect((await first.visit(2)).map(({ visits }) => visits)).toEqual([1, 2])
        await first.stop()

        server.cli('CONFIG', 'SET', 'requirepass', CANARY)
        const second = await startTwice(cf, droplet, { services: vcapServices(redisAt(server, CANARY)) })
        expect((await second.visit(2)).map(({ visits }) => visits)).toEqual([1, 2])
        await second.stop()
      } finally {
        await server.stop()
      }
    },
  )

  test.each(PHP_BUILDPACKS)(
    'C4: another search key comes from options.json or from the environment: %s',
    async (_name, buildpack) => {
      const server = await startRedis({ password: CANARY })
      const services = vcapServices(redisAt(server, CANARY, 'the-cache'))
      const options = { '.bp-config/options.json': '{"REDIS_SESSION_STORE_SERVICE_NAME": "cache"}' }
      const env = { REDIS_SESSION_STORE_SERVICE_NAME: 'cache' }
      try {
        for (const { app, with: more } of [
          { app: fixtureApp(options), with: { services } },
          { app: fixtureApp(), with: { services, env } },
        ]) {
          const staged = await cf.stage({ app, buildpacks: [sessionsBuildpack, buildpack], ...more })
          expect(staged.log).toContain('service the-cache, because its name contains cache')
          const running = await startTwice(cf, staged.droplet, more)
          expect((await running.visit(2)).map(({ visits }) => visits)).toEqual([1, 2])
          await running.stop()
        }
      } finally {
        await server.stop()
      }
    },
  )

  test("the app's own ini files win over that of php-sessions", async () => {
    const server = await startRedis()
    const app = fixtureApp({
      '.bp-config/php/php.ini.d/mine.ini': 'session.name = MINE\nmax_execution_time = 300\n',
    })
    const services = vcapServices({ ...redisService, credentials: { host: server.host, port: server.port } })
    const { droplet } = await cf.stage({ app, buildpacks: [sessionsBuildpack, phpBuildpackV5], services })
    const running = await startTwice(cf, droplet, { services })
    const [told] = await running.visit(1)
    expect(told).toMatchObject({
      cookies: ['MINE'],
      ini: { 'session.save_handler': 'redis', 'redis.session.lock_expire': '600' },
    })
    await running.stop()
    await server.stop()
  })

  test.each(PHP_BUILDPACKS)(
    'a pool of the app wins over php-sessions, and start and doctor name its line: %s',
    async (_name, buildpack) => {
      const app = fixtureApp({
        '.bp-config/php/fpm.d/own.conf': [
          '[www]',
          'php_admin_value[session.save_handler] = files',
          'php_admin_value[session.save_path] = ${TMPDIR}',
          'request_terminate_timeout = 60s\n',
        ].join('\n'),
      })
      const services = vcapServices({ ...redisService, credentials: { host: '127.0.0.1', port: 1 } })
      const { droplet } = await cf.stage({ app, buildpacks: [sessionsBuildpack, buildpack], services })
      const instance = await cf.startInstance(droplet, { index: 0, services })
      const page = await fetch(instance.url).then((response) => response.json())
      expect(page).toMatchObject({ visits: 1, ini: { 'session.save_handler': 'files' } })
      const asked = await cf.openShell(instance, 'php-sessions doctor php.effective php.time-limit')
      for (const said of [instance.log(), asked.stdout]) {
        expect(said).toContain('php/etc/fpm.d/own.conf:2')
        expect(said).not.toContain('php.hanging')
      }
      await instance.stop()
    },
  )

  const BROKEN = vcapServices({ ...redisService, credentials: { password: CANARY } })

  test('a binding that cannot work fails the staging with its reason', async () => {
    const staged = await cf.stage({
      app: fixtureApp(),
      buildpacks: [sessionsBuildpack, phpBuildpackV5],
      services: BROKEN,
    })
    expect(staged).toMatchObject({ ok: false, exitStatus: 225 })
    expect(staged.log).toContain('✗ no host in the credentials')
    expect(staged.log).not.toContain(CANARY)
  })

  test('a binding that cannot work stops the start, unless PHP_SESSIONS_ON_ERROR=files', async () => {
    const { droplet } = await cf.stage({ app: fixtureApp(), buildpacks: [sessionsBuildpack, phpBuildpackV5] })
    await expect(cf.startInstance(droplet, { index: 0, services: BROKEN })).rejects.toThrow(
      'no host in the credentials',
    )
    const running = await startTwice(cf, droplet, {
      services: BROKEN,
      env: { PHP_SESSIONS_ON_ERROR: 'files' },
    })
    expect((await running.visit(1))[0]?.ini).toMatchObject({ 'session.save_handler': 'files' })
    expect(running.instances[0]?.log()).toContain(
      'PHP_SESSIONS_ON_ERROR=files: sessions are kept in local files',
    )
    await running.stop()
  })

  test('when php-sessions is listed last, the staging fails and names the right order', async () => {
    const staged = await cf.stage({ app: fixtureApp(), buildpacks: [phpBuildpackV5, sessionsBuildpack] })
    expect(staged.ok).toBe(false)
    expect(staged.log).toContain('cf push APP -b php-sessions-buildpack -b php_buildpack, in this order')
  })
})

test('the buildpack does not pass detection, so it is used only when it is named', () => {
  expect(() =>
    execFileSync(`${sessionsBuildpack.directory}/bin/detect`, [fixtureApp()], { stdio: 'pipe' }),
  ).toThrow()
})
