import { describe, expect, onTestFinished, test } from 'vitest'
import { makeApp } from '../../../lab/app.ts'
import { CANARY, redisService, vcapServices } from '../../../lab/bindings.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { PHP_BUILDPACKS, sessionsBuildpack, startTwice } from '../../support/homes/cloudfoundry.ts'
import { lifecycles } from '../../support/homes/lifecycles.ts'

/** Logs in to Redis with the variables that Laravel's configuration reads, and prints them. */
const PAGE = `<?php
$redis = new Redis();
$redis->connect(getenv('REDIS_HOST'), (int) getenv('REDIS_PORT'));
$redis->auth(getenv('REDIS_PASSWORD'));
$visits = $redis->incr('visits');
echo json_encode(['visits' => $visits, 'driver' => getenv('SESSION_DRIVER'), 'client' => getenv('REDIS_CLIENT')]);`

describe.each(lifecycles)('%s lifecycle', (_, cf) => {
  test.each(PHP_BUILDPACKS)(
    "Laravel's variables reach pages and tasks, with the password unchanged: %s",
    async (_name, buildpack) => {
      const server = await startRedis({ password: CANARY })
      onTestFinished(server.stop)
      const app = makeApp({
        'index.php': PAGE,
        'composer.lock': '{"packages": [{"name": "laravel/framework", "version": "v10.48.4"}]}',
      })
      const { host, port } = server
      const services = vcapServices({ ...redisService, credentials: { host, port, password: CANARY } })
      const { droplet } = await cf.stage({ app, buildpacks: [sessionsBuildpack, buildpack], services })
      const running = await startTwice(cf, droplet, { services })
      onTestFinished(running.stop)
      expect(await running.visit(2)).toMatchObject([
        { visits: 1, driver: 'redis', client: 'phpredis' },
        { visits: 2, driver: 'redis', client: 'phpredis' },
      ])
      const task = await cf.runTask(droplet, 'echo "$SESSION_DRIVER $REDIS_PORT"', { services })
      expect(task.stdout).toContain(`redis ${port}`)
      expect(running.instances[0]?.log()).toContain('Laravel 10.48.4 has session drivers of its own')
    },
  )
})
