import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startContained } from '../../../lab/processes/contained.ts'
import { until } from '../../../lab/processes/until.ts'
import { EXECUTABLE } from '../../support/homes/cloudfoundry.ts'
import { container, HOSTS, startExec } from '../../support/homes/container.ts'

/** With a store bound, exec has a directory to remove. */
const withStore = () => container({ REDIS_URL: 'redis://:s3cret@127.0.0.1:6379' })

test.each(HOSTS)('every signal reaches the command: %s', async (_name, program) => {
  for (const signal of ['HUP', 'INT', 'QUIT', 'TERM', 'USR1', 'USR2', 'WINCH'] as const) {
    const bound = withStore()
    const script = `trap 'echo got; exit 5' ${signal}; echo ready; while :; do sleep 0.05; done`
    const command = await startExec(bound, ['sh', '-c', script], program)
    process.kill(command.pid, `SIG${signal}`)
    expect({ signal, status: await command.exited }).toEqual({ signal, status: 5 })
    expect(command.stdout()).toBe('ready\ngot\n')
    expect(bound.left()).toEqual([])
  }
})

test('Ctrl-C at a terminal reaches the command once', async () => {
  const bound = withStore()
  const script = `trap 'echo got' INT; echo ready; for i in 1 2 3 4 5 6 7 8; do sleep 0.1; done; exit 4`
  writeFileSync(join(bound.directory, 'script'), script)
  const child = spawn('script', ['-qefc', `exec ${EXECUTABLE} exec -- sh script`, '/dev/null'], {
    env: bound.env,
    cwd: bound.directory,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let printed = ''
  child.stdout.on('data', (chunk) => {
    printed += chunk
  })
  await until('the command to be ready', () => printed.includes('ready'))
  child.stdin.write('\x03')
  const [status] = await once(child, 'exit')
  expect(printed.match(/got/g)).toHaveLength(1)
  expect({ status, left: bound.left() }).toEqual({ status: 4, left: [] })
})

test('SIGTERM at any moment of a start ends it, and leaves no directory', async () => {
  const bound = withStore()
  const statuses = new Set<unknown>()
  const RUNS = 60
  const slowest = 100
  for (let i = 0; i < RUNS; i++) {
    const child = spawn(EXECUTABLE, ['exec', '--', 'sleep', '0.5'], { env: bound.env, stdio: 'ignore' })
    const exited = once(child, 'exit')
    await sleep((i / RUNS) * slowest)
    child.kill('SIGTERM')
    const [status, signal] = await exited
    statuses.add(status ?? signal)
  }
  expect([...statuses].filter((status) => status !== 143 && status !== 'SIGTERM')).toEqual([])
  expect(bound.left()).toEqual([])
})

/** Starts a command as PID 1. The unshare of Ubuntu 22.04 would let it ignore SIGINT and SIGTERM, as itself does. */
const AS_FIRST = ['--pid', '--fork', '--kill-child', 'env', '--default-signal=INT,TERM']
const canUnshare = spawnSync('unshare', [...AS_FIRST, 'true']).status === 0

test('as PID 1, exec reaps orphans', async ({ skip }) => {
  if (!canUnshare) skip('unshare --pid does not work here')
  const bound = withStore()
  const script = `sh -c 'sleep 0.5 &'; echo ready; sleep 2; exit 6`
  const args = [...AS_FIRST, EXECUTABLE, 'exec', '--', 'sh', '-c', script]
  const contained = startContained({ file: 'unshare', args, env: bound.env, cwd: bound.directory })
  await until('the command to be ready', () => contained.stdout().includes('ready'))
  const [init = ''] = childrenOf(contained.pid)
  const isOrphan = (child: string) =>
    child !== '' && readFileSync(`/proc/${child}/stat`, 'utf8').includes('(sleep)')
  const orphan = childrenOf(init).find(isOrphan) ?? ''
  expect(orphan).not.toBe('')
  await until('the orphan to be reaped', () => !childrenOf(init).includes(orphan))
  expect(contained.hasExited()).toBe(false)
  expect(await contained.exited).toBe(6)
})

test('as PID 1, exec ends on SIGTERM, also while it is still starting', async ({ skip }) => {
  if (!canUnshare) skip('unshare --pid does not work here')
  const bound = withStore()
  // Its php takes a second, as when it must ask Sentinels.
  mkdirSync(join(bound.directory, 'bin'))
  writeFileSync(join(bound.directory, 'bin/php'), '#!/bin/sh\ntouch "$TMPDIR/asked"; sleep 1\n', {
    mode: 0o755,
  })
  const env = { ...bound.env, PATH: `${join(bound.directory, 'bin')}:${process.env.PATH}` }
  const args = [...AS_FIRST, EXECUTABLE, 'exec', '--', 'sleep', '60']
  const contained = startContained({ file: 'unshare', args, env, cwd: bound.directory })
  await until('php to be asked', () => readdirSync(join(bound.directory, 'tmp')).includes('asked'))
  process.kill(Number(childrenOf(contained.pid)[0]), 'SIGTERM')
  expect(await contained.exited).toBe(143)
  expect(bound.left()).toEqual([])
})

function childrenOf(pid: number | string): readonly string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((child) => child !== '')
}
