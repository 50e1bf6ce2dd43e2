import { describe, expect, test } from 'vitest'
import { cookieIn } from '../../../lab/php/fastcgi.ts'
import { runCopy } from '../../support/php/copying.ts'
import { type Instance, type STEPS, startInstance, startPlace } from '../../support/php/moved.ts'
import { PHPS } from '../../support/php/php.ts'
import { KEY } from '../../support/php/sealed.ts'

function visitor() {
  let cookie = ''
  return async ({ fpm }: Instance, page: keyof typeof STEPS) => {
    const got = await fpm.ask(page, cookie)
    cookie = cookieIn(got) ?? cookie
    return /^Status: (\d+)/.exec(got)?.[1] ?? got.slice(got.indexOf('\r\n\r\n') + 4)
  }
}

describe.each(PHPS)('%s', (_name, php) => {
  test.each([
    ['redis', 'redis'],
    ['redis', 'memcached'],
    ['memcached', 'cluster'],
    ['files', 'redis'],
  ])('sessions that are encrypted move to another store: %s to %s', async (from, to) => {
    const [old, next] = [await startPlace(from, 'old'), await startPlace(to, 'new')]
    const sealed = { PHP_SESSIONS_ENCRYPTION_KEY: `${KEY},only` }
    const isFiles = 'directory' in old
    const PREVIOUS = isFiles ? old.directory : old.service.name
    const o = await startInstance(php, [old], isFiles ? { PHP_SESSIONS_HANDLER: 'native' } : sealed, 2)
    const n = await startInstance(
      php,
      isFiles ? [next] : [old, next],
      { ...sealed, PHP_SESSIONS_PREVIOUS: PREVIOUS },
      2,
    )
    const f = await startInstance(php, [next], sealed, 2)
    const visit = visitor()
    const got: string[] = []
    for (const instance of [o, n, o, n, f, n, f, n, o]) got.push(await visit(instance, 'add'))
    expect(got).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9'])
    expect([await visit(n, 'rename'), await visit(o, 'look'), await visit(f, 'look')]).toEqual([
      '9',
      '9',
      '9',
    ])
    expect([await visit(n, 'leave'), await visit(o, 'look'), await visit(f, 'look')]).toEqual([
      'left',
      'nobody',
      'nobody',
    ])
    for (const { log } of [o, n, f]) expect(log()).not.toMatch(/cannot be used|is not kept|warning|fatal/i)
  })

  test.each(['redis', 'memcached'])(
    'a change of an encrypted session that only one of the stores has counts, after a copy from %s, too',
    async (from) => {
      const [old, next] = [await startPlace(from, 'old'), await startPlace('redis', 'new')]
      if ('directory' in old || 'directory' in next) throw new Error('a service is needed')
      const sealed = {
        PHP_SESSIONS_HANDLER: 'managed',
        PHP_SESSIONS_ENCRYPTION_KEY: `${KEY},only`,
        PHP_SESSIONS_COMPRESSION: 'gzip',
      }
      const o = await startInstance(php, [old], sealed, 1)
      const n = await startInstance(
        php,
        [old, next],
        { ...sealed, PHP_SESSIONS_PREVIOUS: old.service.name },
        1,
      )
      const f = await startInstance(php, [next], sealed, 1)
      const [stays, comes] = [visitor(), visitor()]
      expect([await stays(o, 'add'), await comes(o, 'add')]).toEqual(['1', '1'])
      const services = [old.service, next.service]
      const { json } = await runCopy(php, {
        services,
        args: ['--json', '--from', old.service.name, '--to', next.service.name],
      })
      expect(json).toMatchObject({ copied: 2 })
      expect([await stays(o, 'add'), await stays(n, 'add')]).toEqual(['2', '3'])
      expect([await comes(f, 'add'), await comes(n, 'add')]).toEqual(['2', '3'])
      expect(n.log()).not.toMatch(/changed in both stores/)
    },
  )
})
