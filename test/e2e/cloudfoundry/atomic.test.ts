import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { redisService, vcapServices } from '../../../lab/bindings.ts'
import { type BareContainer, makeBareContainer } from '../../../lab/cloudfoundry/bare-container.ts'
import { EXECUTABLE } from '../../support/homes/cloudfoundry.ts'

function makeContainer() {
  const container = makeBareContainer('extension=redis.so\n')
  return { ...container, ini: join(container.scanDirectory, '00-php-sessions.ini') }
}

const RUNS = 300

const environment = ({ env }: BareContainer, password: string) => ({
  ...env,
  VCAP_SERVICES: vcapServices({ ...redisService, credentials: { host: 'h', password } }),
})

test('kill -9 at any moment of a launch leaves the old ini or the new one, and php.ini whole', async () => {
  const container = makeContainer()
  const { ini, phpIni } = container
  let slowestMilliseconds = 0
  const launch = (password: string) => {
    const start = performance.now()
    const result = spawnSync(EXECUTABLE, ['launch'], { env: environment(container, password) })
    slowestMilliseconds = Math.max(slowestMilliseconds, performance.now() - start)
    return result
  }
  // Nearly as long as an environment variable may be, so that writing it takes a while.
  const passwords = ['a', 'b'].map((letter) => letter.repeat(60_000))
  const texts = passwords.map((password) => {
    expect(launch(password).status).toBe(0)
    return readFileSync(ini, 'utf8')
  })
  const original = readFileSync(phpIni, 'utf8')

  const seen = new Set<number>()
  for (let i = 0; i < RUNS; i++) {
    const child = spawn(EXECUTABLE, ['launch'], {
      env: environment(container, passwords[i % 2] ?? ''),
      stdio: 'ignore',
    })
    const exited = new Promise((resolve) => child.once('exit', resolve))
    // From at once until well after the end, so that some are killed while they write.
    await sleep((i / RUNS) * 2 * slowestMilliseconds)
    child.kill('SIGKILL')
    await exited
    const found = texts.indexOf(readFileSync(ini, 'utf8'))
    expect(found).not.toBe(-1)
    seen.add(found)
    expect(readFileSync(phpIni, 'utf8')).toBe(original)
  }
  expect(seen.size).toBe(2)
  expect(launch(passwords[0] ?? '').status).toBe(0)
  expect(readFileSync(ini, 'utf8')).toBe(texts[0])
})

test('a directory that cannot be written to gives one message, and the old ini stays', () => {
  const container = makeContainer()
  const { directory, scanDirectory, ini } = container
  writeFileSync(ini, 'old')
  chmodSync(directory, 0o755)
  chmodSync(scanDirectory, 0o555)
  const isRoot = process.getuid?.() === 0
  // Root may write everywhere, so it runs as user 65534, which every system has.
  const [file, args] = isRoot
    ? ['setpriv', ['--reuid=65534', '--clear-groups', EXECUTABLE, 'launch']]
    : [EXECUTABLE, ['launch']]
  const { status, stdout, stderr } = spawnSync(file as string, args as string[], {
    env: { ...environment(container, 'p'), PATH: process.env.PATH },
    encoding: 'utf8',
  })
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).toMatch(/✗ cannot write .*00-php-sessions\.ini.*: permission denied {2}\(file\.access\)/)
  expect(readFileSync(ini, 'utf8')).toBe('old')
  expect(readdirSync(scanDirectory)).toEqual(['00-php-sessions.ini'])
})

test.each([
  ['Latin-1', Buffer.from('; caf\xe9\nextension=redis.so\n', 'latin1')],
  ['UTF-8', Buffer.from('; café 🐘\nextension=redis.so\n')],
])('a php.ini in %s keeps its bytes when a line is set aside', (_name, before) => {
  const container = makeContainer()
  const { phpIni } = container
  writeFileSync(phpIni, before)
  expect(spawnSync(EXECUTABLE, ['launch'], { env: environment(container, 'p') }).status).toBe(0)
  const after = readFileSync(phpIni, 'latin1')
  expect(after).toContain('\n; set aside by php-sessions: extension=redis.so\n')
  expect(after.split('\n')[0]).toBe(before.toString('latin1').split('\n')[0])
})
