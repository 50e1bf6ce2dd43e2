import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { cookieIn } from '../../../lab/php/fastcgi.ts'
import { until } from '../../../lab/processes/until.ts'
import { runCopy } from '../../support/php/copying.ts'
import { startLoad } from '../../support/php/load/visitors.ts'
import {
  bouncing,
  type Instance,
  type Place,
  startInstance,
  startPlace,
  startSentinelPlace,
} from '../../support/php/moved.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'

const MANAGED = { PHP_SESSIONS_HANDLER: 'managed' }
const NATIVE = { PHP_SESSIONS_HANDLER: 'native' }

/** From where to where, and how the old and the last instances keep their sessions. */
const MOVES = [
  ['redis', 'redis', NATIVE, NATIVE],
  ['redis', 'cluster', MANAGED, MANAGED],
  ['memcached', 'redis', MANAGED, MANAGED],
  ['redis', 'memcached', NATIVE, MANAGED],
  ['cluster', 'redis', MANAGED, NATIVE],
  ['files', 'redis', NATIVE, NATIVE],
] as const

const PHASE_MILLISECONDS = 2_500

async function start(php: PhpUnderTest, from: string | Place, to: string) {
  const old = typeof from === 'string' ? await startPlace(from, 'old') : from
  const next = await startPlace(to, 'new')
  const PHP_SESSIONS_PREVIOUS = 'directory' in old ? 'files' : old.service.name
  const instance = (places: readonly Place[], env: Readonly<Record<string, string>>) =>
    startInstance(php, places, env)
  return {
    old,
    next,
    before: (env: Readonly<Record<string, string>>) => instance([old], env),
    moving: (env: Readonly<Record<string, string>> = {}) =>
      instance([old, next], { PHP_SESSIONS_PREVIOUS, ...env }),
    after: (env: Readonly<Record<string, string>>) => instance([next], env),
  }
}

/** Lets visitors go to all instances of a phase, one phase after the other; in the end to those of the last. */
async function roll<T = undefined>(
  name: string,
  phases: readonly (readonly Instance[])[],
  last?: () => Promise<T>,
  meanwhile: (phase: number) => Promise<void> = async () => {},
): Promise<T> {
  let serving: readonly Instance[] = phases[0] ?? []
  const load = startLoad(
    bouncing(() => serving),
    6,
    3,
  )
  onTestFinished(() => void load.stop())
  await until('all visitors to have a session', () => load.sessions().every((id) => id !== ''))
  for (const [i, phase] of phases.entries()) {
    serving = phase
    await meanwhile(i)
    await sleep(PHASE_MILLISECONDS)
  }
  const result = (await last?.()) as T
  const story = await load.stop()
  const { requests, failed, lost, startedOver, strangers, stuck } = story
  console.log(`${name}: ${requests} requests, ${lost.length} lost, ${startedOver} logged out`)
  expect({ failed: failed.slice(0, 3), lost: lost.length, startedOver, strangers, stuck }).toEqual({
    ...{ failed: [], lost: 0, startedOver: 0, strangers: 0, stuck: 0 },
  })
  for (const { log } of phases.flat()) expect(log()).not.toMatch(/php-sessions: .*(store|session )|warning:/i)
  return result
}

/** Visitors who have been to an instance once; each gives the count that the page has at its next visit. */
async function startSleepers({ fpm }: Instance, count: number) {
  const cookies = await Promise.all(
    Array.from({ length: count }, async () => cookieIn(await fpm.ask('add')) ?? ''),
  )
  return cookies.map((cookie) => async (instance: Instance) => {
    const got = await instance.fpm.ask('add', cookie)
    return got.slice(got.indexOf('\r\n\r\n') + 4)
  })
}

describe.each(PHPS)('%s', (name, php) => {
  test.each(MOVES)(
    'nobody is logged out and no update is lost on the way from %s to %s',
    async (from, to, oldEnv, newEnv) => {
      const { before, moving, after } = await start(php, from, to)
      const [o, n, f] = [await before(oldEnv), await moving(), await after(newEnv)]
      await roll(`${name}: ${from} to ${to}`, [[o], [o, n], [n], [n, f], [f]])
    },
  )

  test('nor of those who come only before and after: a copy brings their sessions', async () => {
    const { old, next, before, moving, after } = await start(php, 'redis', 'redis')
    const services = [old, next].flatMap((place) => ('service' in place ? [place.service] : []))
    const [o, n] = [await before(NATIVE), await moving()]
    const sleepers = await startSleepers(o, 40)
    const previous = services[0]?.name ?? ''
    const { json, status, stderr } = await roll(`${name}: with a copy`, [[o], [o, n], [n]], () =>
      runCopy(php, {
        services,
        args: ['--json', '--from', previous],
        env: { PHP_SESSIONS_PREVIOUS: previous },
      }),
    )
    expect({ status, stderr }).toMatchObject({ status: 0 })
    expect((json?.copied ?? 0) + (json?.skipped.there ?? 0)).toBeGreaterThan(40)
    await n.fpm.stop()
    const f = await after(NATIVE)
    expect(await Promise.all(sleepers.map((sleeper) => sleeper(f)))).toEqual(sleepers.map(() => '2'))
  })

  test('nor on the way back, before the last step and after it', async () => {
    const { before, moving, after } = await start(php, 'redis', 'redis')
    const [o, n, f] = [await before(MANAGED), await moving(), await after(MANAGED)]
    await roll(`${name}: back`, [[o], [o, n], [n], [n, f], [f], [n, f], [n], [o, n], [o]])
  })

  // What differs from one Redis is the same with each PHP.
  test.runIf(php === PHPS[0]?.[1])(
    'nor on the way from Sentinels and back, while another server takes the place of the old master',
    async () => {
      const place = await startSentinelPlace('old')
      const { before, moving, after } = await start(php, place, 'redis')
      // During a failover requests wait for each other, which is a line of the log.
      const env = { ...MANAGED, PHP_SESSIONS_SLOW_WAIT: '0' }
      const [o, n, f] = [await before(env), await moving(env), await after(env)]
      const phases = [[o], [o, n], [n], [n, f], [f], [n, f], [n], [o, n], [o]]
      const failOverIn = 2
      await roll(`${name}: Sentinels`, phases, undefined, async (phase) => {
        if (phase === failOverIn) await place.failOver()
      })
    },
  )
})
