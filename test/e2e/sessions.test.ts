import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { until } from '../../lab/processes/until.ts'
import { type Machine, makeMachine } from '../support/doctor/machine.ts'
import { BUNDLE, EXECUTABLE } from '../support/homes/cloudfoundry.ts'
import { startRedisService } from '../support/php/managed.ts'

const HOSTS = [
  ['the executable', [EXECUTABLE]],
  ['Node', [process.execPath, BUNDLE]],
] as const

/** A Redis with so many sessions, and a machine that it is bound to. */
async function start(count: number) {
  const { redis, service } = await startRedisService()
  const fill = `for i = 1, ${count} do redis.call('SETEX', 'PHPREDIS_SESSION:id' .. i, 1000, 'n|i:1;') end`
  redis.cli('EVAL', fill, '0')
  return { redis, machine: await makeMachine({ services: [service] }) }
}

/** Runs a command in a terminal, in which somebody types this; gives what it shows. */
function inTerminal({ directory, env }: Machine, command: readonly string[], typed: string): string {
  const quoted = command.map((word) => `'${word}'`).join(' ')
  const { stdout } = spawnSync('script', ['-qec', `stty tostop; ${quoted}`, '/dev/null'], {
    cwd: join(directory, 'app'),
    env: { ...env, SHELL: '/bin/sh' },
    input: typed,
    encoding: 'utf8',
  })
  return stdout
}

const childrenOf = (pid: number) =>
  readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name) || !existsSync(`/proc/${name}/stat`)) return false
    try {
      return (
        readFileSync(`/proc/${name}/stat`, 'utf8')
          .replace(/^.*\) . /, '')
          .split(' ')[0] === String(pid)
      )
    } catch {
      return false
    }
  })

describe.each(HOSTS)('%s', (_host, command) => {
  test('long work shows a bar in a terminal, and takes it away', async () => {
    const { machine } = await start(150_000)
    const shown = inTerminal(machine, [...command, 'sessions'], '')
    expect(shown).toMatch(/\[#*-+\] counted [\d,]+ of about 150,000, \d+ s left, [\d,]+\/s/)
    expect(shown).toContain('\r\u001b[K150,000 sessions in the service')
  })

  test.each([
    ['y', '3 sessions ended', '0'],
    ['n', '(sessions.declined)', '3'],
    ['', '(sessions.declined)', '3'],
  ])('an end asks in a terminal: %j', async (answer, said, left) => {
    const { redis, machine } = await start(3)
    const shown = inTerminal(machine, [...command, 'sessions', 'end', '--all'], `${answer}\n`)
    expect(shown).toContain('3 sessions will end: their visitors are logged out. Continue? [y/N] ')
    expect(shown).toContain(said)
    expect(redis.cli('DBSIZE')).toBe(left)
  })
})

test('Ctrl-C ends a long command and its PHP', async () => {
  const { redis, machine } = await start(1000)
  const options = { cwd: join(machine.directory, 'app'), env: machine.env }
  const running = spawn(EXECUTABLE, ['sessions'], options)
  const exited = once(running, 'exit')
  redis.signal('SIGSTOP')
  let children: readonly string[] = []
  await until('PHP to ask', () => {
    children = childrenOf(running.pid ?? 0).filter((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('RedisSessionStore'),
    )
    return children.length > 0
  })
  running.kill('SIGINT')
  expect(await exited).toEqual([130, null])
  await until('PHP to end', () => children.every((pid) => !existsSync(`/proc/${pid}`)))
  redis.signal('SIGCONT')
})
