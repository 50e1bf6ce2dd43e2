import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { askFpm } from '../../../lab/php/fastcgi.ts'
import { machinePhp } from '../../../lab/php/installed.ts'
import { findListener } from '../../../lab/processes/listening.ts'
import { freePorts } from '../../../lab/processes/ports.ts'
import { until } from '../../../lab/processes/until.ts'
import { unpackApache, writeApache } from '../../../lab/web/apache.ts'
import { container, startExec } from '../../support/homes/container.ts'

const withStore = () => container({ REDIS_URL: 'redis://:s3cret@127.0.0.1:6379' })
const apache = await unpackApache()
const COUNT = { handler: `echo ini_get('session.save_handler'), ' ', ini_get('session.save_path');` }

describe.skipIf('unavailable' in apache)('Apache', () => {
  const start = async (...command: readonly string[]) => {
    const bound = withStore()
    const [port = 0] = await freePorts(1)
    if ('unavailable' in apache) throw new Error(apache.unavailable)
    const env = writeApache(apache, { port, directory: bound.directory, pages: COUNT })
    const started = await startExec({ ...bound, env: { ...bound.env, ...env } }, [
      'sh',
      '-c',
      'echo ready; exec "$@"',
      'sh',
      ...command,
    ])
    const ask = async () => (await fetch(`http://127.0.0.1:${port}/handler.php`)).text()
    await until('Apache to listen', () => findListener(port, started.processes) === 'own')
    return { bound, started, ask }
  }

  test.each([
    ['Debian’s script, which does not hand signals on', ['apache2ctl', '-DFOREGROUND']],
    ['the script that starts it in the background and ends', ['apache2ctl', 'start']],
    [
      'Apache itself',
      ['sh', '-c', '. "$APACHE_CONFDIR/envvars"; exec apache2 -d "$APACHE_CONFDIR" -DFOREGROUND'],
    ],
  ])('is ended by TERM with everything else: %s', async (_name, command) => {
    const { bound, started, ask } = await start(...command)
    expect(await ask()).toMatch(/^redis tcp:/)
    expect(bound.left()).toHaveLength(1)
    process.kill(started.pid, 'SIGTERM')
    expect([0, 143]).toContain(await started.exited)
    // What a killed Apache would not have written.
    expect(readFileSync(join(bound.directory, 'run/error.log'), 'utf8')).toContain('caught SIGTERM')
    expect(bound.left()).toEqual([])
  })
})

test('the reason why Apache is not tried', ({ skip }) => {
  if ('unavailable' in apache) skip(apache.unavailable)
})

/** A script that is told to end writes that down; `$1` is the file. */
const SAYS = `trap 'echo ended >>"$1"; exit' TERM; while :; do sleep 0.05; done`

test('TERM ends what a script has left behind, and what that has left behind', async () => {
  const bound = withStore()
  const file = join(bound.directory, 'told')
  const script = `(sh -c "$2" sh "$1" & sh -c "$2" sh "$1" &); echo ready; sleep 60`
  const command = await startExec(bound, ['sh', '-c', script, 'sh', file, SAYS])
  await sleep(300)
  process.kill(command.pid, 'SIGTERM')
  expect(await command.exited).toBe(143)
  expect(readFileSync(file, 'utf8')).toBe('ended\nended\n')
  expect(bound.left()).toEqual([])
})

test('what ignores TERM is killed after five seconds', async () => {
  const bound = withStore()
  const script = `sh -c "trap '' TERM; while :; do sleep 0.1; done" & echo ready; wait`
  const command = await startExec(bound, ['sh', '-c', script])
  await sleep(300)
  process.kill(command.pid, 'SIGTERM')
  expect(await command.exited).toBe(143)
  expect(bound.left()).toEqual([])
})

test('a command that forks and ends has ended', async () => {
  const bound = withStore()
  const started = Date.now()
  const command = await startExec(bound, ['sh', '-c', 'sleep 30 >/dev/null 2>&1 & echo ready; exit 3'])
  expect(await command.exited).toBe(3)
  expect(Date.now() - started).toBeLessThan(25_000)
  expect(command.stderr()).not.toContain('background')
  expect(bound.left()).toEqual([])
})

test('a php-fpm that has gone to the background keeps its settings, also after a reload, and ends with exec', async () => {
  const bound = withStore()
  const [port = 0] = await freePorts(1)
  const at = (name: string) => join(bound.directory, name)
  writeFileSync(
    at('fpm.conf'),
    `[global]\nerror_log = ${at('log')}\npid = ${at('pid')}\n[www]\nlisten = 127.0.0.1:${port}\npm = static\npm.max_children = 1\nuser = nobody\ngroup = nogroup\n`,
  )
  writeFileSync(at('handler.php'), `<?php ${COUNT.handler}`)
  const script = 'echo ready; "$@"; echo gone'
  const fpm = [machinePhp().fpm([]).file, '-y', at('fpm.conf')]
  const command = await startExec(bound, ['sh', '-c', script, 'sh', ...fpm])
  await until('the command to end', () => command.stderr().includes('in the background'))
  expect(command.stdout()).toBe('ready\ngone\n')
  const ready = () => readFileSync(at('log'), 'utf8').match(/ready to handle connections/g)?.length
  await until('php-fpm to be ready', () => ready() === 1)
  expect(await askFpm(port, at('handler.php'))).toMatch(/redis tcp:/)
  process.kill(Number(readFileSync(at('pid'), 'utf8')), 'SIGUSR2')
  await until('php-fpm to have reloaded', () => ready() === 2)
  expect(await askFpm(port, at('handler.php'))).toMatch(/redis tcp:/)
  process.kill(command.pid, 'SIGTERM')
  expect(await command.exited).toBe(0)
  expect(readFileSync(at('log'), 'utf8')).toContain('Finishing')
  expect(bound.left()).toEqual([])
})
