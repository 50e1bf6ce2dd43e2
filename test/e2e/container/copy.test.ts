import { expect, onTestFinished, test } from 'vitest'
import { CANARY } from '../../../lab/bindings.ts'
import { runCommand } from '../../../lab/processes/command.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { container, HOSTS, startFpmIn } from '../../support/homes/container.ts'

async function start() {
  const redis = await startRedis({ password: CANARY })
  onTestFinished(redis.stop)
  return { redis, url: `redis://:${encodeURIComponent(CANARY)}@127.0.0.1:${redis.port}` }
}

/** As `docker exec` and a Kubernetes Job run it: with the environment of the container, and no terminal. */
test.each(HOSTS)(
  'copy runs beside the app in a container, and as its only command: %s',
  async (_name, [file = '', ...args]) => {
    const [old, next] = [await start(), await start()]
    for (let i = 0; i < 20; i++) old.redis.cli('SETEX', `PHPREDIS_SESSION:s${i}`, '500', `n|i:${i};`)
    const env = { REDIS_URL: next.url, OLD_REDIS_URL: old.url, PHP_SESSIONS_PREVIOUS: 'OLD_REDIS_URL' }
    const bound = container(env)
    const job = {
      file,
      args: [...args, 'copy', '--from', 'OLD_REDIS_URL'],
      env: bound.env,
      cwd: bound.directory,
    }
    expect(await runCommand(job)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^copied 20 sessions/),
    })
    await startFpmIn(bound, { program: [file, ...args], pages: { one: 'echo 1;' } })
    const beside = await runCommand(job)
    expect(beside).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('skipped 20, which are there already'),
    })
    expect(next.redis.cli('TTL', 'PHPREDIS_SESSION:s3')).toMatch(/^4\d\d|500$/)
  },
)
