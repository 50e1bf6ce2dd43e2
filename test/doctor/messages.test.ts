import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { showsCanary } from '../../lab/bindings.ts'
import { main } from '../../src/cli/main.ts'
import { checks } from '../../src/doctor/checks/index.ts'
import { selectChecks } from '../../src/doctor/run.ts'
import { renderCheck, renderHead, renderLast, styleFor } from '../../src/doctor/text.ts'
import { recognisePlatform } from '../../src/platforms/platform.ts'
import { fakeHost } from '../support/host/fake-host.ts'
import { type Case, type Cases, examine } from './answers.ts'
import { MEMCACHED_CASES } from './cases/memcached.ts'
import { NETWORK_CASES } from './cases/network.ts'
import { PHP_CASES } from './cases/php.ts'
import { PREVIOUS_CASES, PREVIOUS_WELL } from './cases/previous.ts'
import { REDIS_CASES } from './cases/redis.ts'
import { SESSION_CASES } from './cases/session.ts'
import { WELL_CASES } from './cases/well.ts'

const FAULTS: Readonly<Record<string, Cases>> = {
  php: PHP_CASES,
  network: NETWORK_CASES,
  redis: REDIS_CASES,
  memcached: MEMCACHED_CASES,
  previous: PREVIOUS_CASES,
  session: SESSION_CASES,
}

/** All that the doctor prints of a system. */
function print(given: Case, flags: Readonly<Record<string, string>> = {}): string {
  const { context, results } = examine(given)
  const style = styleFor(context.host, flags)
  return [
    renderHead(context, recognisePlatform(context.host)),
    ...results.map((result) => renderCheck(result, style)),
    renderLast(
      context,
      results,
      { isSelection: given.checks !== undefined, isStrict: 'strict' in flags },
      style,
    ),
  ].join('')
}

/** What the doctor prints of the checks that found something. */
function printFindings(given: Case): string {
  const { context, results } = examine(given)
  const style = styleFor(context.host, {})
  return results
    .filter(({ findings }) => findings.length > 0)
    .map((result) => renderCheck(result, style))
    .join('')
}

const ALL_WELL = { ...WELL_CASES, ...PREVIOUS_WELL }

test.each(Object.entries(ALL_WELL))('all is well: %s', (_, given) => {
  const text = print(given, { verbose: 'on' })
  expect(showsCanary(text)).toBe(false)
  expect(text).toMatchSnapshot()
})

describe.each(Object.entries(FAULTS))('%s', (_, cases) => {
  test.each(Object.entries(cases))('%s', (_name, given) => {
    const text = printFindings(given)
    expect(text).not.toBe('')
    expect(showsCanary(text)).toBe(false)
    expect(text).toMatchSnapshot()
  })
})

const ONE_CHECK = { checks: selectChecks(checks, ['session.lock']) }
const LOCK_OFF = SESSION_CASES['a lock that is switched off']
const NO_LOGIN = REDIS_CASES['a wrong password']
const NO_PHP = PHP_CASES['no PHP']

const SHOWN: Readonly<
  Record<string, readonly [given: Case | undefined, flags?: Readonly<Record<string, string>>]>
> = {
  'all is well': [{}],
  'one check where all is well': [ONE_CHECK],
  'one check with a warning': [{ ...LOCK_OFF, ...ONE_CHECK }],
  'a warning': [LOCK_OFF],
  'a warning, with --strict': [LOCK_OFF, { strict: 'on' }],
  'an error and a warning': [
    { ...NO_LOGIN, ...LOCK_OFF, answers: { ...LOCK_OFF?.answers, ...NO_LOGIN?.answers } },
  ],
  'an error, with -v': [NO_LOGIN, { verbose: 'on' }],
  'no PHP': [NO_PHP],
  'no PHP, in colours and with -v': [NO_PHP, { color: 'always', verbose: 'on' }],
}

test.each(Object.entries(SHOWN))('the whole output: %s', (_, [given = {}, flags]) => {
  expect(print(given, flags)).toMatchSnapshot()
})

test('--list has every check and what it asks', () => {
  const host = fakeHost()
  main(host, ['doctor', '--list'])
  expect(host.output.out).toMatchSnapshot()
})

test('every id in src/doctor is in a snapshot: a check where all is well, a finding where it is not', () => {
  const source = readdirSync('src/doctor', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readFileSync(`src/doctor/${path}`, 'utf8'))
    .join('')
  const ids = [...source.matchAll(/id: '([a-z]+\.[a-z0-9-]+)'/g)].map(([, id]) => id)
  const wellChecks = Object.values(ALL_WELL)
    .flatMap((given) => examine(given).results)
    .filter(({ status }) => status === 'ok')
    .map(({ id }) => id)
  const findings = Object.values(FAULTS)
    .flatMap((cases) => Object.values(cases))
    .flatMap((given) => examine(given).results)
    .flatMap((result) => result.findings.map(({ id }) => id))
  const snapshots = new Set([...wellChecks, ...findings])
  expect(ids.filter((id = '') => !snapshots.has(id))).toEqual([])
})
