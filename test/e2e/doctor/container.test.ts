import { spawnSync } from 'node:child_process'
import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CANARY } from '../../../lab/bindings.ts'
import { startContained } from '../../../lab/processes/contained.ts'
import { until } from '../../../lab/processes/until.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { type Machine, makeMachine } from '../../support/doctor/machine.ts'

const canUnshare = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0

/** Runs a command as the main process of a container of its own; `enter` is `docker exec`. */
async function runContainer(machine: Machine, command: readonly string[]) {
  const args = ['--pid', '--fork', '--kill-child', '--mount-proc', ...command]
  const cwd = join(machine.directory, 'app')
  const contained = startContained({ file: 'unshare', args, env: machine.env, cwd })
  await until('the command to be ready', () => contained.stdout().includes('ready'))
  const [init = ''] = readFileSync(`/proc/${contained.pid}/task/${contained.pid}/children`, 'utf8').split(' ')
  const enter = (...words: readonly string[]) => {
    const { status, stdout } = spawnSync('nsenter', ['-t', init, '-p', '-m', '--wd', ...words], {
      cwd,
      env: { ...machine.env },
      encoding: 'utf8',
    })
    return { status, out: stdout }
  }
  return { enter }
}

async function bound(handler: string) {
  const server = await startRedis({ password: CANARY })
  onTestFinished(server.stop)
  const { host, port } = server
  return makeMachine({
    services: [{ name: 'app-redis-sessions', credentials: { host, port, password: CANARY } }],
    env: { KUBERNETES_SERVICE_HOST: '127.0.0.1', PHP_SESSIONS_HANDLER: handler },
    isInstalled: false,
    app: 'zend_extension = opcache\n',
  })
}

test('the container is entered as docker exec enters it', ({ skip }) => {
  skip(!canUnshare, 'unshare --pid --mount-proc does not work here')
})

describe.skipIf(!canUnshare)('docker exec CONTAINER php-sessions doctor', () => {
  test.each(['native', 'managed'])(
    'a second process finds the settings that run there: %s',
    async (handler) => {
      const machine = await bound(handler)
      const { enter } = await runContainer(machine, [
        ...[machine.executable, 'exec', '--', 'sh', '-c', 'echo ready; sleep 60; true'],
      ])
      const { out, status } = enter(machine.executable, 'doctor')
      expect(out).not.toMatch(/^ *[!✗]/m)
      expect(out).toMatch(/^Sessions are ready: Redis service/m)
      expect(status).toBe(0)
      expect(enter(machine.executable, 'explain').out).not.toContain('ini --output')
    },
  )

  test('another user learns who can see the settings', async () => {
    const machine = await bound('native')
    chmodSync(machine.directory, 0o755)
    const { enter } = await runContainer(machine, [
      ...[machine.executable, 'exec', '--', 'sh', '-c', 'echo ready; sleep 60; true'],
    ])
    const { out, status } = enter('setpriv', '--reuid=65534', '--clear-groups', machine.executable, 'doctor')
    expect(/^ *[!✗].*/m.exec(out)?.[0]).toMatch(/exec runs here as user 0.*\(exec\.unreadable\)/)
    expect(out).not.toContain('ini --output')
    expect(status).toBe(1)
  })

  test('a command that is no exec changes nothing', async () => {
    const machine = await bound('native')
    const { enter } = await runContainer(machine, ['sh', '-c', 'echo ready; sleep 60; true'])
    const { out } = enter(machine.executable, 'doctor')
    expect(/^ *[!✗].*/m.exec(out)?.[0]).toContain('(php.effective)')
  })
})
