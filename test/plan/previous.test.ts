import { describe, expect, test } from 'vitest'
import type { Service } from '../../lab/bindings.ts'
import { explain, planFor } from '../support/previous.ts'

const redis = (name: string): Service => ({
  name,
  credentials: { host: `${name}.example`, port: 6379, password: 'pw' },
})
const [OLD, NEW] = [redis('old-redis-sessions'), redis('new-redis-sessions')]
const POOL: Service = { name: 'pool-memcached-sessions', credentials: { servers: 'a:11211,b:11211' } }
const from = (PHP_SESSIONS_PREVIOUS: string, more: Readonly<Record<string, string>> = {}) => ({
  PHP_SESSIONS_PREVIOUS,
  ...more,
})

describe('what PHP_SESSIONS_PREVIOUS names', () => {
  test.each<[string, readonly Service[], Readonly<Record<string, string>>]>([
    ['a bound service: the other one is chosen', [OLD, NEW], from('old-redis-sessions')],
    ['a path', [NEW], from('2;/var/lib/php/sessions')],
    ['the only store', [OLD], from('old-redis-sessions')],
    [
      'the store that PHP_SESSIONS_SERVICE names',
      [OLD, NEW],
      from('old-redis-sessions', { PHP_SESSIONS_SERVICE: 'old-redis-sessions' }),
    ],
    ['the same server under another name', [{ ...NEW, name: 'alias' }, NEW], from('alias')],
    [
      'another database of the same server',
      [{ name: 'old', credentials: { uri: 'redis://new-redis-sessions.example:6379/3' } }, NEW],
      from('old'),
    ],
    ['a service that is not bound', [NEW], from('old-redis-sessions')],
    ['nothing that is bound while nothing is', [], from('old-redis-sessions')],
    ['a pool', [POOL, NEW], from('pool-memcached-sessions')],
    ['something that says not what it is', [NEW, { name: 'x', credentials: { password: 'pw' } }], from('x')],
    [
      'a service without a host',
      [NEW, { name: 'y', tags: ['redis'], credentials: { password: 'pw' } }],
      from('y'),
    ],
    [
      'a service, with the native handler',
      [OLD, NEW],
      from('old-redis-sessions', { PHP_SESSIONS_HANDLER: 'native' }),
    ],
    [
      'a service, while files keep the sessions',
      [OLD],
      from('old-redis-sessions', { PHP_SESSIONS_SERVICE: 'none' }),
    ],
  ])('%s', (_what, services, env) => {
    expect(explain(services, env)).toMatchSnapshot()
  })
})

test('without the native handler’s own settings nothing else changes where sessions move', () => {
  const [plain, moving] = [
    planFor([NEW], { PHP_SESSIONS_HANDLER: 'managed' }),
    planFor([OLD, NEW], from('old-redis-sessions', { PHP_SESSIONS_HANDLER: 'managed' })),
  ]
  const names = (plan: typeof plain) => plan.directives.map(({ name }) => name)
  expect(names(moving)).toEqual([...names(plain).slice(0, -1), 'php_sessions.previous', names(plain).at(-1)])
})
