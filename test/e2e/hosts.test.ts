import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { redisService, vcapServices } from '../../lab/bindings.ts'
import { makeBareContainer } from '../../lab/cloudfoundry/bare-container.ts'
import { makeScratch } from '../../lab/processes/scratch.ts'
import { main } from '../../src/cli/main.ts'
import { VERSION } from '../../src/core/version.ts'
import { BUNDLE, EXECUTABLE } from '../support/homes/cloudfoundry.ts'
import { fakeHost } from '../support/host/fake-host.ts'
import { HOST_FIXTURES, runOn } from '../support/host/host-fixtures.ts'
import { makeBindings, makeTree } from '../support/host/trees.ts'
import { fc, PROPERTY_RUNS } from '../support/properties.ts'
import { mutatedShapes } from '../support/values/mutations.ts'
import { inVcapServices } from '../support/values/shapes.ts'

const redis = { VCAP_SERVICES: vcapServices(redisService) }

test.each(Object.entries(HOST_FIXTURES))('both hosts print the same, byte for byte: %s', (_name, fixture) => {
  const quickjs = runOn([EXECUTABLE], fixture)
  expect(quickjs).toEqual(runOn([process.execPath, BUNDLE], fixture))
  expect(quickjs.status).not.toBe(70)
})

test('both hosts write the same file, for its owner only', () => {
  const [executable, node] = [[EXECUTABLE] as const, [process.execPath, BUNDLE] as const].map(
    (command, i) => {
      const file = join(makeScratch('host'), `${i}.ini`)
      runOn([...command], [['ini', '--output', file], redis])
      expect(statSync(file).mode & 0o777).toBe(0o600)
      return readFileSync(file, 'hex')
    },
  )
  expect(executable).toBe(node)
  expect(executable?.length).toBeGreaterThan(0)
})

test.each(['native', 'managed'])('both hosts find the same files of an app: %s', (handler) => {
  const [executable, node] = [[EXECUTABLE], [process.execPath, BUNDLE]].map(([file = '', ...args]) => {
    const { env, directory } = makeBareContainer('')
    const app = makeTree(env.HOME)
    // Across the parts in which native/find.c reads a file.
    const before = `<?php\n${'/'.repeat((1 << 16) - 40)}\n`
    writeFileSync(join(app, 'a/sessions.php'), `${before}final class S extends SessionHandler {}\n`)
    mkdirSync(join(app, 'node_modules'))
    writeFileSync(join(app, 'node_modules/.user.ini'), 'session.save_handler = files\n')
    const more = { ...redis, PHP_SESSIONS_HANDLER: handler }
    const { status, stderr } = spawnSync(file, [...args, 'launch'], {
      env: { ...env, ...more },
      encoding: 'utf8',
    })
    return { status, stderr: stderr.replaceAll(directory, 'DIRECTORY') }
  })
  expect(executable).toEqual(node)
  expect(executable?.stderr).toContain('DIRECTORY/app/a/.user.ini:1')
  expect(executable?.stderr).not.toContain('node_modules')
  expect(executable?.stderr.includes('sessions.php')).toBe(handler === 'managed')
})

test('both hosts read directories of bindings alike, whatever is in them', () => {
  const root = makeBindings(makeScratch('bindings'))
  const fixture = [['explain'], { PATH: '/nowhere', SERVICE_BINDING_ROOT: root }] as const
  const quickjs = runOn([EXECUTABLE], fixture)
  expect(quickjs).toEqual(runOn([process.execPath, BUNDLE], fixture))
  const said = Buffer.from(quickjs.stdout, 'hex').toString()
  expect(said).toContain('its name contains redis-sessions')
  for (const why of [
    `${root}/fifo/host: it is not a regular file`,
    `${root}/huge/host: the files of its directory have more than 1 MB`,
    `${root}/much/b: the files of its directory have more than 1 MB`,
    `${root}/much/c: the files of its directory have more than 1 MB`,
    `${root}/loop: its links form a loop`,
    `${root}/loop/metadata: its links form a loop`,
  ])
    expect(said).toContain(`cannot read ${why}`)
})

test(`the executable reads ${PROPERTY_RUNS} mutated bindings as Node does`, () => {
  // The sources do not know of which commit they are.
  const built = execFileSync(EXECUTABLE, ['--version'], { encoding: 'utf8' }).trim()
  // The fake host has no app either.
  const cwd = makeScratch('no-app')
  fc.assert(
    fc.property(mutatedShapes, (shape) => {
      // No PHP is in PATH, as the fake host has none.
      const env: Record<string, string> = { ...inVcapServices(shape).env, PATH: '/nowhere' }
      // An environment cannot hold more.
      fc.pre((env.VCAP_SERVICES ?? '').length < 100_000)
      const host = fakeHost(env)
      const status = main(host, ['ini'])
      const { stdout, stderr, ...result } = spawnSync(EXECUTABLE, ['ini'], { env, cwd, encoding: 'utf8' })
      expect({ status: result.status, stdout, stderr }).toEqual({
        status,
        stdout: host.output.out.toWellFormed().replace(VERSION, built),
        stderr: host.output.err.toWellFormed(),
      })
    }),
    { numRuns: PROPERTY_RUNS },
  )
}, 3_600_000)
