import { describe, expect, test } from 'vitest'
import { cookieIn } from '../../../lab/php/fastcgi.ts'
import { until } from '../../../lab/processes/until.ts'
import { makeMachine, run } from '../../support/doctor/machine.ts'
import { type Instance, type Place, startInstance, startPlace } from '../../support/php/moved.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'

const servicesOf = (places: readonly Place[]) =>
  places.flatMap((place) => ('service' in place ? [place.service] : []))

type Page = 'add' | 'look' | 'hold' | 'stay' | 'leave'

const visit = async (site: Instance, page: Page, cookie = '') => {
  const got = await site.fpm.ask(page, cookie)
  return { said: got.slice(got.indexOf('\r\n\r\n') + 4), cookie: cookieIn(got) ?? cookie }
}

/** How many requests have got a session to hold. */
const heldIn = (site: Instance) => site.log().split('held').length - 1

const ROUTES = [
  ['memcached', 'single'],
  ['single', 'single'],
  ['single', 'cluster'],
  ['single', 'memcached'],
  ['files', 'single'],
] as const
// The second PHP shows that its clients work as those of the first; the rest is the same code.
const CASES = PHPS.flatMap(([name, php], i) =>
  ROUTES.slice(0, i === 0 ? undefined : 1).map(([from, to]) => [name, from, to, php] as const),
)

describe('while sessions move they end in both stores', () => {
  test.each(CASES)('%s, from %s to %s', async (_name, from, to, php) => {
    const places = [await startPlace(from, 'old'), await startPlace(to, 'new')]
    const [was, is] = places
    if (was === undefined || is === undefined) throw new Error('there are two places')
    const env = { PHP_SESSIONS_PREVIOUS: 'directory' in was ? was.directory : was.service.name }
    const before = await startInstance(php, [was], {}, 2)
    const meanwhile = await startInstance(php, places, env, 4)
    const after = await startInstance(php, [is], { PHP_SESSIONS_HANDLER: 'managed' }, 2)

    const stays = await visit(before, 'add')
    const moves = await visit(before, 'add')
    expect((await visit(meanwhile, 'add', moves.cookie)).said).toBe('2')
    // Only in the new store, from which a running request writes it into the old one.
    const fresh = await visit(after, 'add')
    const holding = Promise.all([stays, moves, fresh].map(({ cookie }) => visit(meanwhile, 'hold', cookie)))
    holding.catch(() => {})
    await until('requests that have the sessions', () => heldIn(meanwhile) === 3)

    const machine = await makeMachine({ php, services: servicesOf(places), env })
    const { status, out, err } = await run(machine, ['sessions', 'end', '--where', 'n', '--yes'])
    expect({ status, out }).toEqual({ status: 0, out: '3 sessions ended\n' })
    expect(err).toBe('3 sessions will end\n')
    await holding
    for (const { cookie } of [stays, moves, fresh])
      for (const site of [meanwhile, before, after])
        expect((await visit(site, 'look', cookie)).said).toBe('nobody')
    expect((await run(machine, ['sessions', 'end', '--where', 'n', '--yes'])).out).toBe('0 sessions ended\n')
  })

  test.each(CASES.filter(([, from, to]) => to === 'single' && from !== 'memcached'))(
    '%s, from %s to %s: one that only the new store has, while a request has it',
    async (_name, from, to, php) => {
      const places = [await startPlace(from, 'old'), await startPlace(to, 'new')]
      const [was, is] = places
      if (was === undefined || is === undefined) throw new Error('there are two places')
      const env = { PHP_SESSIONS_PREVIOUS: 'directory' in was ? was.directory : was.service.name }
      const meanwhile = await startInstance(php, places, env, 4)
      const after = await startInstance(php, [is], { PHP_SESSIONS_HANDLER: 'managed' }, 2)
      const [ended, left, added] = [
        await visit(after, 'add'),
        await visit(after, 'add'),
        await visit(after, 'add'),
      ]
      const holding = [ended, left, added].map(({ cookie }) => visit(meanwhile, 'hold', cookie))
      await until('requests that have the sessions', () => heldIn(meanwhile) === 3)

      // Each waits for the request that has its session, which is in both stores after that.
      const leaving = visit(meanwhile, 'leave', left.cookie)
      const adding = visit(after, 'add', added.cookie)
      const machine = await makeMachine({ php, services: servicesOf(places), env })
      const id = /=([^;]*)/.exec(ended.cookie)?.[1] ?? ''
      expect((await run(machine, ['sessions', 'end', id, '--yes'])).out).toBe('1 session ended\n')
      await Promise.all(holding)
      expect([(await leaving).said, (await adding).said]).toEqual(['left', '100'])
      expect((await visit(meanwhile, 'add', added.cookie)).said).toBe('101')
      for (const { cookie } of [ended, left])
        for (const site of [meanwhile, after]) expect((await visit(site, 'look', cookie)).said).toBe('nobody')
    },
  )

  test('except one that a request keeps locked, which the command reports', async () => {
    const [place, next] = [await startPlace('memcached', 'old'), await startPlace('single', 'new')]
    const services = servicesOf([place, next])
    const env = { PHP_SESSIONS_PREVIOUS: services[0]?.name ?? '', PHP_SESSIONS_MAX_WAIT: '2' }
    const php = PHPS[0]?.[1] as PhpUnderTest
    const site = await startInstance(php, [place, next], env, 4)
    const [free, taken] = [await visit(site, 'add'), await visit(site, 'add')]
    visit(site, 'stay', taken.cookie).catch(() => {})
    await until('a request that has the session', () => heldIn(site) === 1)
    const machine = await makeMachine({ php, services, env })
    const { status, out, err } = await run(machine, ['sessions', 'end', '--all', '--yes'])
    expect({ status, out }).toEqual({ status: 1, out: '' })
    expect(err).toMatch(/1 session ended, and 1 did not: others have held .*\(sessions\.held\)/)
    expect((await visit(site, 'look', free.cookie)).said).toBe('nobody')
  })
})
