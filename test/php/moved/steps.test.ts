import { describe, expect, test } from 'vitest'
import { cookieIn } from '../../../lab/php/fastcgi.ts'
import { type Instance, type STEPS, startInstance, startPlace } from '../../support/php/moved.ts'
import { PHPS } from '../../support/php/php.ts'

/** One visitor, who asks one instance after the other. */
function visitor() {
  let cookie = ''
  return async ({ fpm }: Instance, page: keyof typeof STEPS) => {
    const got = await fpm.ask(page, cookie)
    cookie = cookieIn(got) ?? cookie
    return /^Status: (\d+)/.exec(got)?.[1] ?? got.slice(got.indexOf('\r\n\r\n') + 4)
  }
}

async function startAll(php: (typeof PHPS)[number][1], from: string, to: string) {
  const [old, next] = [await startPlace(from, 'old'), await startPlace(to, 'new')]
  const PREVIOUS = 'directory' in old ? old.directory : old.service.name
  return {
    o: await startInstance(php, [old], { PHP_SESSIONS_HANDLER: 'native' }, 2),
    n: await startInstance(
      php,
      'directory' in old ? [next] : [old, next],
      { PHP_SESSIONS_PREVIOUS: PREVIOUS },
      2,
    ),
    f: await startInstance(php, [next], { PHP_SESSIONS_HANDLER: 'managed' }, 2),
  }
}

describe.each(PHPS)('%s', (_name, php) => {
  test.each([
    ['redis', 'redis'],
    ['redis', 'memcached'],
    ['memcached', 'redis'],
    ['files', 'redis'],
  ])('a visitor who goes from instance to instance, %s to %s', async (from, to) => {
    const { o, n, f } = await startAll(php, from, to)
    const add = visitor()
    expect([await add(o, 'add'), await add(n, 'add'), await add(o, 'add'), await add(n, 'add')]).toEqual([
      '1',
      '2',
      '3',
      '4',
    ])
    expect([await add(n, 'look'), await add(f, 'add'), await add(n, 'add'), await add(f, 'add')]).toEqual([
      '4',
      '5',
      '6',
      '7',
    ])
    expect([await add(n, 'look'), await add(o, 'look'), await add(o, 'add')]).toEqual(['7', '7', '8'])
    expect([await add(n, 'rename'), await add(o, 'add'), await add(n, 'add'), await add(f, 'look')]).toEqual([
      '8',
      '9',
      '10',
      '10',
    ])

    const leavesOld = visitor()
    await leavesOld(o, 'add')
    expect([await leavesOld(n, 'add'), await leavesOld(o, 'leave'), await leavesOld(n, 'look')]).toEqual([
      '2',
      'left',
      'nobody',
    ])
    const leavesBoth = visitor()
    await leavesBoth(n, 'add')
    expect([await leavesBoth(n, 'leave'), await leavesBoth(o, 'look'), await leavesBoth(f, 'look')]).toEqual([
      'left',
      'nobody',
      'nobody',
    ])
    const leavesNew = visitor()
    await leavesNew(n, 'add')
    expect([await leavesNew(f, 'leave'), await leavesNew(n, 'look')]).toEqual(['left', 'nobody'])
  })
})
