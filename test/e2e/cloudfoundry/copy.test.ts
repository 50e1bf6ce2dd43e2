import { describe, expect, onTestFinished, test } from 'vitest'
import { CANARY, showsCanary, vcapServices } from '../../../lab/bindings.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { fixtureApp, PHP_BUILDPACKS, sessionsBuildpack } from '../../support/homes/cloudfoundry.ts'
import { lifecycles } from '../../support/homes/lifecycles.ts'

async function start(name: string) {
  const redis = await startRedis({ password: CANARY })
  onTestFinished(redis.stop)
  const credentials = { host: redis.host, port: redis.port, password: CANARY }
  return { redis, service: { name, label: 'p.redis', tags: ['redis'], credentials } }
}

describe.each(lifecycles)('%s lifecycle', (_, cf) => {
  describe.each(PHP_BUILDPACKS)('%s', (_name, buildpack) => {
    test('copy runs as a task and in the shell of cf ssh', async () => {
      const [old, next] = [await start('old-redis-sessions'), await start('new-redis-sessions')]
      for (let i = 0; i < 20; i++) old.redis.cli('SETEX', `PHPREDIS_SESSION:s${i}`, '500', `n|i:${i};`)
      const services = vcapServices(old.service, next.service)
      const env = { PHP_SESSIONS_PREVIOUS: 'old-redis-sessions' }
      const staged = await cf.stage({
        app: fixtureApp(),
        buildpacks: [sessionsBuildpack, buildpack],
        services,
        env,
      })
      const task = await cf.runTask(staged.droplet, 'php-sessions copy --from old-redis-sessions', {
        services,
        env,
      })
      expect(task).toMatchObject({ status: 0, stdout: expect.stringMatching(/^copied 20 sessions/m) })
      expect(next.redis.cli('GET', 'PHPREDIS_SESSION:s7')).toBe('n|i:7;')
      const instance = await cf.startInstance(staged.droplet, { index: 0, services, env })
      onTestFinished(instance.stop)
      const shell = await cf.openShell(instance, 'php-sessions copy --from old-redis-sessions --json')
      expect(shell.status).toBe(0)
      expect(shell.stdout).toMatch(/"there": 20/)
      expect(instance.log()).toMatch(/they move from Redis service old-redis-sessions/)
      expect(showsCanary(task.stdout + shell.stdout + instance.log())).toBe(false)
    })
  })
})
