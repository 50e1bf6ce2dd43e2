import { execFileSync } from 'node:child_process'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { redisService, vcapServices } from '../../../lab/bindings.ts'
import { phpBuildpackV5 } from '../../../lab/cloudfoundry/php-buildpacks.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { until } from '../../../lab/processes/until.ts'
import { startSentinels } from '../../../lab/redis/sentinel.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { makeVisitor } from '../../../lab/web/visitor.ts'
import { fixtureApp, PHP_BUILDPACKS, sessionsBuildpack } from '../../support/homes/cloudfoundry.ts'
import { lifecycles } from '../../support/homes/lifecycles.ts'
import { PAGES, startLoad } from '../../support/php/load/visitors.ts'

const OLD = 'old-s3cret,@@+%&'
const NEW = 'new-s3cret,@@+%&'
const app = () => fixtureApp({ 'count.php': `<?php ${PAGES.count}`, 'all.php': `<?php ${PAGES.all}` })

/** Six visitors of the app on one instance. */
const loadOn = (url: string) =>
  startLoad(() => {
    const visitor = makeVisitor(url)
    return async (page) => (await visitor.get(`/${page}.php`)).body
  }, 6)

describe.each(lifecycles)('%s lifecycle', (_, cf) => {
  describe.each(PHP_BUILDPACKS)('%s', (_name, buildpack) => {
    test('with PHP_SESSIONS_WATCH a sidecar follows a rotated password, also when it is killed meanwhile', async () => {
      const redis = await startRedis({ password: OLD })
      onTestFinished(redis.stop)
      const file = join(makeScratch('bindings'), 'vcap_services')
      const write = (password: string) => {
        const credentials = { host: redis.host, port: redis.port, password }
        writeFileSync(`${file}.new`, vcapServices({ ...redisService, credentials }))
        renameSync(`${file}.new`, file)
      }
      write(OLD)
      const env = { VCAP_SERVICES: undefined, VCAP_SERVICES_FILE_PATH: file, PHP_SESSIONS_WATCH: 'on' }
      const staged = await cf.stage({ app: app(), buildpacks: [sessionsBuildpack, buildpack], env })
      expect(staged.log).toContain('a sidecar follows new credentials')
      const instance = await cf.startInstance(staged.droplet, { index: 0, env })
      onTestFinished(instance.stop)
      const load = loadOn(instance.url)
      await until('the first pages', () => load.settings() !== '')
      const before = load.settings()

      redis.cli('ACL', 'SETUSER', 'default', `>${NEW}`)
      write(NEW)
      await sleep(700)
      // The watcher of this instance, found by the path of its executable.
      const watchers = execFileSync('sh', [
        '-c',
        `for p in /proc/[0-9]*; do [ "$(readlink $p/exe)" = "$0" ] && echo \${p#/proc/}; done; true`,
        join(instance.directory, 'deps/0/bin/php-sessions'),
      ])
      expect(String(watchers)).not.toBe('')
      for (const pid of String(watchers).split('\n').filter(Boolean)) process.kill(Number(pid), 'SIGKILL')
      await until('the new password to be used', () => load.settings() !== before)
      redis.cli('ACL', 'SETUSER', 'default', `<${OLD}`)
      await sleep(1500)
      const { requests, failed, lost } = await load.stop()
      console.log(`sidecar: ${requests} requests, ${failed.length} failed`)
      expect({ failed, lost }).toEqual({ failed: [], lost: [] })
      expect(instance.log()).toMatch(/php-fpm \(process \d+\) reloads with the new settings/)
      expect(instance.log()).not.toContain('s3cret')
      const { stdout } = await cf.openShell(
        instance,
        'cat $HOME/../deps/*/php/etc/php-fpm.conf $HOME/php/etc/php-fpm.conf',
      )
      expect(stdout.match(/^process_control_timeout = .*$/gm)).toEqual(['process_control_timeout = 8s'])
    })
  })

  test('the sidecar follows the Sentinels to another master', async () => {
    const group = await startSentinels({ password: OLD })
    onTestFinished(group.stop)
    const sentinels = group.sentinels.map(({ host, port }) => ({ host, port }))
    const credentials = { master_name: group.masterName, sentinels, password: OLD }
    const services = vcapServices({ name: 'app-redis-sessions', credentials })
    const env = { PHP_SESSIONS_HANDLER: 'native', PHP_SESSIONS_WATCH: 'on' }
    const staged = await cf.stage({
      app: app(),
      buildpacks: [sessionsBuildpack, phpBuildpackV5],
      services,
      env,
    })
    const instance = await cf.startInstance(staged.droplet, { index: 0, services, env })
    onTestFinished(instance.stop)
    const load = loadOn(instance.url)
    await until('the first pages', () => load.settings() !== '')
    const before = load.settings()
    group.killMaster()
    await group.untilNewMaster()
    await until('the new master to be used', () => load.settings() !== before)
    expect((await load.stop()).lost).toEqual([])
  })

  test('without PHP_SESSIONS_WATCH there is no sidecar', async () => {
    const services = vcapServices(redisService)
    const { droplet } = await cf.stage({
      app: app(),
      buildpacks: [sessionsBuildpack, phpBuildpackV5],
      services,
    })
    const list = execFileSync('tar', ['-tzf', droplet], { encoding: 'utf8' })
    expect(list).not.toContain('launch.yml')
  })
})
