import { describe, expect, test } from 'vitest'
import { cookieIn } from '../../../lab/php/fastcgi.ts'
import { makeMachine, run } from '../../support/doctor.ts'
import { type Place, startInstance, startPlace } from '../../support/php/moved.ts'
import { PHPS } from '../../support/php/php.ts'

const servicesOf = (places: readonly Place[]) =>
  places.flatMap((place) => ('service' in place ? [place.service] : []))

describe.each(PHPS)('%s', (_name, php) => {
  test.each(['single', 'cluster'])('while sessions move they end in both stores: to a %s', async (kind) => {
    const places = [await startPlace('single', 'old'), await startPlace(kind, 'new')]
    const [was, is] = servicesOf(places)
    const env = { PHP_SESSIONS_PREVIOUS: was?.name ?? '' }
    const before = await startInstance(php, places.slice(0, 1), {}, 2)
    const after = await startInstance(php, places, env, 4)
    const visit = async (site: typeof before, page: 'add' | 'look', cookie = '') => {
      const got = await site.fpm.ask(page, cookie)
      return { said: got.slice(got.indexOf('\r\n\r\n') + 4), cookie: cookieIn(got) ?? cookie }
    }
    const [stays, moves] = [await visit(before, 'add'), await visit(before, 'add')]
    expect((await visit(after, 'add', moves.cookie)).said).toBe('2')

    const machine = await makeMachine({ php, services: servicesOf(places), env })
    expect(is?.name).toContain('new')
    const { out, err } = await run(machine, ['sessions', 'end', '--where', 'n', '--yes'])
    expect({ out, err }).toEqual({ out: '2 sessions ended\n', err: '2 sessions will end\n' })
    for (const { cookie } of [stays, moves]) {
      expect((await visit(after, 'look', cookie)).said).toBe('nobody')
      expect((await visit(before, 'look', cookie)).said).toBe('nobody')
    }
  })
})
