import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startMemcached } from '../../../lab/servers/memcached.ts'
import { stress } from '../../support/php/load/stress.ts'
import { killWorkers, shortenLocks } from '../../support/php/load/worker-kills.ts'
import { MEMCACHED_SERVERS, startMemcachedService } from '../../support/php/managed-memcached.ts'
import { PHPS } from '../../support/php/php.ts'

const VISITORS = { alone: 8, together: 12 }

describe.each(PHPS)('%s', (_name, php) => {
  test.each(MEMCACHED_SERVERS)(
    'no acknowledged update of twenty visitors is lost while workers are killed, with %s',
    async (name, which) => {
      const { service } = await startMemcachedService(which)
      const asked = { name: `${name}, workers killed`, php, service, visitors: VISITORS }
      await stress({ ...asked, prepare: shortenLocks, cuts: true }, async ({ fpm }) => {
        const stop = killWorkers(fpm.pid)
        await sleep(4_000)
        expect(await stop()).toBeGreaterThan(20)
      })
    },
  )

  test('no acknowledged update is lost that a restart of the server itself does not lose', async () => {
    const { server, service } = await startMemcachedService()
    const asked = { name: 'Memcached restarted', php, service, visitors: VISITORS }
    await stress(asked, async ({ forgotten }) => {
      let last = server
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        last.signal(signal)
        await last.stop()
        last = await startMemcached({ at: server })
        onTestFinished(last.stop)
        forgotten()
        await sleep(1_000)
      }
    })
  })

  test('no acknowledged update is lost while half of the requests use the native handler', async () => {
    const { service } = await startMemcachedService()
    const asked = { name: 'Memcached, mixed with native', php, service }
    await stress({ ...asked, handlers: ['managed', 'native'], cuts: true }, () => sleep(2_000))
  })

  test('no acknowledged update is lost while the server freezes', async () => {
    const { server, service } = await startMemcachedService()
    const asked = { name: 'Memcached frozen', php, service, visitors: VISITORS }
    await stress(asked, async () => {
      for (const milliseconds of [1_000, 3_000]) {
        server.signal('SIGSTOP')
        await sleep(milliseconds)
        server.signal('SIGCONT')
        await sleep(300)
      }
    })
  })
})
