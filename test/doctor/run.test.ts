import { expect, test } from 'vitest'
import { CANARY, redisService } from '../../lab/bindings.ts'
import { readOptions } from '../../src/core/options.ts'
import type { Check } from '../../src/doctor/check.ts'
import { checks } from '../../src/doctor/checks/index.ts'
import { makeContext } from '../../src/doctor/context.ts'
import { runChecks, selectChecks } from '../../src/doctor/run.ts'
import { machineHome } from '../../src/homes/machine/home.ts'
import type { Program } from '../../src/host/host.ts'
import { startOf } from '../../src/php/ask.ts'
import { recognisePlatform } from '../../src/platforms/platform.ts'
import { fakeHost } from '../support/host/fake-host.ts'
import { planFor } from '../support/plan.ts'
import { OURS, SAPI } from './answers.ts'

/** A context in which every program that is run gives this answer. */
function contextWith(answer: (command: Program) => { status: number; stdout: string }, log: string[] = []) {
  const { options } = readOptions({ env: {}, file: { value: {}, from: 'nowhere' } })
  const host = fakeHost({}, {}, answer)
  const examined = {
    host,
    plan: planFor([redisService]),
    obstructions: [],
    hanging: [],
    pools: [],
    kept: [],
    options,
    home: machineHome(host, { app: '/app', filesDirectory: '.' }),
    platform: recognisePlatform(host),
    php: startOf(),
    fpm: [],
  }
  return makeContext(examined, (text) => log.push(text))
}

const silence = () => ({ status: 137, stdout: '' })
const fine = (id: string, needs: readonly string[] = []): Check => ({
  id,
  meaning: `${id}?`,
  needs,
  run: () => ({ title: id, findings: [] }),
})

test('every check needs only checks that come before it', () => {
  const ids = checks.map(({ id }) => id)
  for (const [i, { needs }] of checks.entries())
    for (const need of needs) expect(ids.slice(0, i)).toContain(need)
})

test('a check that throws is reported, and the other checks still run', () => {
  const broken: Check = {
    ...fine('a.broken'),
    run: () => {
      throw new TypeError('x is not a function')
    },
  }
  const results = runChecks([broken, fine('a.fine')], contextWith(silence), () => undefined)
  expect(results.map(({ id, status, findings }) => [id, status, findings[0]?.id])).toEqual([
    ['a.broken', 'warn', 'check.fault'],
    ['a.fine', 'ok', undefined],
  ])
})

test('a probe that does not answer is an error, and every check that needs it is skipped, directly or not', () => {
  const asking: Check = {
    ...fine('a.asking'),
    run: ({ ask }) => ({ title: String(ask('settings').version), findings: [] }),
  }
  const all = [asking, fine('a.next', ['a.asking']), fine('a.last', ['a.next']), fine('a.other')]
  const results = runChecks(all, contextWith(silence), () => undefined)
  expect(results.map(({ status, findings, title }) => [status, findings[0]?.title ?? title])).toEqual([
    ['error', 'PHP did not answer within 3 seconds when asked: a.asking?'],
    ['skipped', 'a.next? (skipped: a.asking failed)'],
    ['skipped', 'a.last? (skipped: a.next failed)'],
    ['ok', 'a.other'],
  ])
})

test('a probe runs once, however many checks ask and whatever it answers', () => {
  let runs = 0
  const context = contextWith(() => {
    runs++
    return { status: 255, stdout: '' }
  })
  for (let i = 0; i < 3; i++) expect(() => context.ask('settings')).toThrow('exit status 255')
  expect(runs).toBe(1)
})

test('a PHP that crashes at an ini file that this user may not read is asked without ini files for its name', () => {
  const bare = { version: '8.1.2', cli: { ...SAPI, unreadable: [OURS] } }
  const crashing = ({ args }: Program) =>
    args.includes('-n') ? { status: 0, stdout: JSON.stringify(bare) } : { status: 139, stdout: '' }
  const [result] = runChecks(selectChecks(checks, ['php.found']), contextWith(crashing), () => undefined)
  expect(result?.findings).toMatchObject([{ id: 'php.unreadable', from: OURS }])
})

test('so is a php-fpm', () => {
  const fpm = { ...SAPI, version: '8.1.2', pools: [], crashesAt: OURS }
  const stdout = JSON.stringify({ version: '8.1.2', cli: SAPI, fpm })
  const context = contextWith(() => ({ status: 0, stdout }))
  const [result] = runChecks(selectChecks(checks, ['php.found']), context, () => undefined)
  expect(result?.findings).toMatchObject([
    { id: 'php.unreadable', title: expect.stringMatching(/^php-fpm 8\.1\.2 crashes/), from: OURS },
  ])
})

test('a PHP that crashes otherwise is silent', () => {
  const context = contextWith(({ args }) =>
    args.includes('-n')
      ? { status: 0, stdout: JSON.stringify({ version: '8.1.2', cli: SAPI }) }
      : { status: 139, stdout: '' },
  )
  expect(() => context.ask('settings')).toThrow('exit status 139')
})

test('the last whole line of a probe is its answer, even if it was killed', () => {
  const context = contextWith(() => ({
    status: 137,
    stdout: 'PHP Warning: x\n{"version":"1"}\n{"version":"2"}\n{"ver',
  }))
  expect(context.ask('settings').version).toBe('2')
})

test('PHP gets the passwords in clear on stdin, and they are nowhere else', () => {
  let asked: Program | undefined
  const log: string[] = []
  const context = contextWith((command) => {
    asked = command
    return { status: 0, stdout: '{}' }
  }, log)
  context.ask('settings')
  expect(JSON.parse(asked?.stdin ?? '').secrets).toContain(CANARY)
  expect(JSON.stringify([asked?.args, asked?.env, log])).not.toContain('c4n')
  expect(log.join('')).toContain('••••')
})

test('a selection includes the checks that it needs, in order', () => {
  const all = [fine('a.one'), fine('a.two'), fine('a.three', ['a.one']), fine('a.four', ['a.three'])]
  expect(selectChecks(all, ['a.four']).map(({ id }) => id)).toEqual(['a.one', 'a.three', 'a.four'])
  expect(selectChecks(all, [])).toEqual(all)
})
