import { expect, test } from 'vitest'
import { sightOf } from '../../playground/engine/lock-sight.ts'
import type { HeldLock } from '../../src/sessions/locks-text.ts'

const lock = (of: Partial<HeldLock>): HeldLock => ({
  ...{ handler: 'managed', instance: '1', process: 7, method: 'GET', path: '/slow.php', heldSeconds: 2.13 },
  ...{ endsInSeconds: 60, waiting: 0, id: null, ...of },
})
const held = (...longest: readonly HeldLock[]) => ({ longest })

test('the session for which most requests wait is named, with the page that has it', () => {
  const sight = sightOf(held(lock({ path: '/long.php', heldSeconds: 9 }), lock({ waiting: 3 })), 5)
  expect(sight).toEqual({
    waiting: 3,
    holder: 'GET /slow.php of instance 1',
    isNamed: true,
    text: '3 requests wait for GET /slow.php of instance 1, which has had the session for 2.1 s',
  })
  expect(sightOf(held(lock({ waiting: 1 })), 2)?.text).toMatch(/^1 request waits for /)
})

test("a lock of PHP's own handler names nobody, and one for which nobody waits is no news", () => {
  const native = lock({ handler: 'native', instance: 'host', method: null, path: null, heldSeconds: null })
  expect(sightOf(held(native), 17)?.text).toBe(
    'a request of process 7 has the session, 17 requests are under way; the lock names neither its page nor the requests that wait',
  )
  expect(sightOf(held(native), 1)).toBeUndefined()
  expect(sightOf(held(), 17)).toBeUndefined()
})
