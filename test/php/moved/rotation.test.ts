import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { until } from '../../../lab/processes/until.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { container, loadOn, startFpmIn } from '../../support/homes/container.ts'
import { PAGES } from '../../support/php/load/visitors.ts'

const OLD = 'old-s3cret,+%&'
const NEW = 'new-s3cret,+%&'

test('the watcher follows a rotated password of the previous store: no request fails, nothing is lost', async () => {
  const [previous, bound] = [await startRedis({ password: OLD }), await startRedis()]
  onTestFinished(previous.stop)
  onTestFinished(bound.stop)
  const { directory, env, stateDirectory } = container({
    REDIS_URL: `redis://127.0.0.1:${bound.port}`,
    PHP_SESSIONS_PREVIOUS: 'previous',
  })
  const root = join(directory, 'bindings')
  mkdirSync(join(root, 'previous'), { recursive: true })
  const write = (name: string, value: string) => {
    writeFileSync(join(root, `.${name}`), value)
    renameSync(join(root, `.${name}`), join(root, 'previous', name))
  }
  for (const [name, value] of Object.entries({
    type: 'redis',
    host: '127.0.0.1',
    port: `${previous.port}`,
    password: OLD,
  }))
    write(name, value)
  const home = { directory, env: { ...env, SERVICE_BINDING_ROOT: root }, left: () => [], stateDirectory }
  const fpm = await startFpmIn(home, { args: ['--watch'], pool: { workers: 6 }, pages: PAGES })
  const load = loadOn(fpm, 6)
  onTestFinished(() => void load.stop())
  await until('the first pages', () => load.sessions().every((id) => id !== ''))
  previous.cli('ACL', 'SETUSER', 'default', `>${NEW}`)
  write('password', NEW)
  await until('the new settings', () => fpm.log().includes('new settings'))
  await previous.batch([
    ['ACL', 'SETUSER', 'default', `<${OLD}`],
    ['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'],
  ])
  await sleep(2_000)
  const { failed, lost, startedOver } = await load.stop()
  expect({ failed, lost, startedOver }).toEqual({ failed: [], lost: [], startedOver: 0 })
  // A store that refuses the login is left alone for a while, and said to be.
  expect(readFileSync(join(stateDirectory(), 'php-sessions-previous-outage'), 'utf8')).toBe('')
  expect(fpm.log()).not.toContain('s3cret')
})
