import { expect, onTestFinished, test } from 'vitest'
import { startRedis } from '../../../lab/redis/server.ts'
import { checks } from '../../../src/doctor/checks/index.ts'
import { nodeHost } from '../../../src/host/node.ts'
import type { PhpStart } from '../../../src/php/ask.ts'
import { tryOut } from '../../../src/watch/trial.ts'
import { diagnose, install, makeMachine, withServices } from '../../support/doctor/machine.ts'
import { planFor } from '../../support/plan.ts'

/** Words of the probes' answers, of Redis' protocol, of JSON, of numbers, and of what the doctor prints. */
const PASSWORDS = ['one', 'done', '0', 'a', '"', '{', ':', 'null', 'speaks', 'WRONGPASS', 'session.save_path']

const service = (port: number, password: string) => ({
  name: 'app-redis-sessions',
  credentials: { host: '127.0.0.1', port, password },
})

test.each(['native', 'managed'])(
  'doctor finds nothing wrong with a password that is a word of its own, %s',
  async (handler) => {
    const server = await startRedis({ password: 'first', user: { name: 'root', password: 'root' } })
    onTestFinished(server.stop)
    const env = { PHP_SESSIONS_HANDLER: handler }
    const made = await makeMachine({ env, app: 'zend_extension = opcache\n' })
    for (const password of PASSWORDS) {
      server.cli('CONFIG', 'SET', 'requirepass', password)
      const machine = withServices(made, service(server.port, password))
      await install(machine)
      const { out, status } = await diagnose(machine, '--json')
      const json = JSON.parse(out)
      expect([password, status, json.findings]).toEqual([password, 0, []])
      expect(json.checks.map(({ id }: { id: string }) => id)).toEqual(checks.map(({ id }) => id))
    }
  },
)

test('a trial of --watch works with such a password', async () => {
  const server = await startRedis({ password: 'first', user: { name: 'root', password: 'root' } })
  onTestFinished(server.stop)
  const { directory } = await makeMachine()
  const php: PhpStart = { command: [`${directory}/bin/php`, '-c', directory], env: {} }
  for (const password of PASSWORDS) {
    server.cli('CONFIG', 'SET', 'requirepass', password)
    const plan = planFor([service(server.port, password)])
    expect([password, tryOut(nodeHost, plan, php)]).toEqual([password, undefined])
  }
  server.cli('CONFIG', 'SET', 'requirepass', 'another')
  const said = tryOut(nodeHost, planFor([service(server.port, 'refused')]), php)
  expect(said).toBeDefined()
  expect(said).not.toContain('refused')
})
