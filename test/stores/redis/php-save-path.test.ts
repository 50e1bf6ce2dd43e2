import { describe, expect, test } from 'vitest'
import { fakeHost } from '../../support/host/fake-host.ts'
import { planOn } from '../../support/plan.ts'

const plan = (uri: string, more: Record<string, string> = {}) => planOn(fakeHost({ REDIS_URL: uri, ...more }))

const reading = (uri: string, more?: Record<string, string>) => {
  const endpoint = plan(uri, more).planned?.endpoint
  const server = endpoint?.servers[0]?.value
  return (
    endpoint && [
      server?.host,
      server?.port,
      endpoint.tls.value,
      endpoint.user?.value,
      endpoint.password?.value.reveal(),
      endpoint.database?.value,
    ]
  )
}

describe('read whole', () => {
  test.each<[string, unknown[]]>([
    ['tcp://h:6379?auth=p', ['h', 6379, false, undefined, 'p', undefined]],
    ['tcp://h?auth[]=u&auth[]=p&database=3', ['h', 6379, false, 'u', 'p', 3]],
    ['tls://h:6380?auth[user]=u&auth[pass]=p', ['h', 6380, true, 'u', 'p', undefined]],
    ['tls://h:6380?auth[pass]=p&auth[user]=u', ['h', 6380, true, 'u', 'p', undefined]],
    ['ssl://h:6380?auth[0]=u&auth[1]=p', ['h', 6380, true, 'u', 'p', undefined]],
    ['tcp://h?auth%5B%5D=u&auth%5B%5D=p', ['h', 6379, false, 'u', 'p', undefined]],
    ['tcp://h?auth[]=p', ['h', 6379, false, undefined, 'p', undefined]],
    ['tcp://h?auth[pass]=p', ['h', 6379, false, undefined, 'p', undefined]],
    ['tcp://h?auth[]=x&auth[]=p', ['h', 6379, false, 'x', 'p', undefined]],
    ['tcp://h?auth=a+b%2Bc%25%26', ['h', 6379, false, undefined, 'a b+c%&', undefined]],
    ['tcp://h?auth=p@x/y?z#w', ['h', 6379, false, undefined, 'p@x/y?z#w', undefined]],
    ['tcp://h?auth=50%', ['h', 6379, false, undefined, '50%', undefined]],
    ['tcp://h/?weight=1&auth=p', ['h', 6379, false, undefined, 'p', undefined]],
    ['unix:///run/r.sock?auth=p&database=2', ['/run/r.sock', 0, false, undefined, 'p', 2]],
    ['tcp://[::1]:6379?auth=p', ['::1', 6379, false, undefined, 'p', undefined]],
    ['tcp://h?auth=p&prefix=PHPREDIS_SESSION:', ['h', 6379, false, undefined, 'p', undefined]],
    ['tls://h?auth=p&stream[verify_peer]=1', ['h', 6379, true, undefined, 'p', undefined]],
  ])('%s', (uri, expected) => {
    expect(plan(uri).findings).toEqual([])
    expect(reading(uri)).toEqual(expected)
  })
})

test('a prefix is accepted where the setting says the same', () => {
  expect(reading('tcp://h?prefix=shop:', { PHP_SESSIONS_PREFIX: 'shop:' })).toBeDefined()
  expect(reading('tcp://h?prefix=shop:', { PHP_SESSIONS_PREFIX: 'other:' })).toBeUndefined()
})

describe('refused', () => {
  test.each([
    'tcp://h1:6379?weight=1&auth=a, tcp://h2:6379?weight=2&auth=b',
    'tcp://h1:6379 tcp://h2:6379',
    'tcp://h?auth=a,b',
    'tcp://h?auth=a b',
    'tcp://h?auth=p&prefix=shop:',
    'tcp://h?auth=p&prefix=',
    'tcp://h?auth=p&prefix=a%20b',
    'tcp://u:p@h?weight=1',
    'tcp://h/3?auth=p',
    'tcp://h?auth=a&auth=b',
    'tcp://h?auth=',
    'tcp://h?auth[user]=u',
    'tcp://h?auth[]=a&auth[]=b&auth[]=c',
    'tcp://h?auth[foo]=a',
    'tcp://h?auth[][]=a',
    'tcp://h?auth=p&auth[]=q',
    'tcp://h?auth=p&db=3',
    'tcp://h?auth=p&database=x',
    'tcp://h?auth=p&database=03',
    'tcp://h?auth=%ff',
    'tcp://h?auth=%00',
    'tcp://h?weight=0',
    'tls://h?auth=p&stream[cafile]=/ca.pem',
    'tls://h?auth=p&stream[verify_peer]=0',
  ])('%s', (uri) => {
    const { planned, findings } = plan(uri)
    expect(planned).toBeUndefined()
    expect(findings[0]?.id).toBe('binding.save-path')
    expect(findings[0]).toMatchSnapshot()
  })
})

test('time-outs are not taken over, with a warning', () => {
  const { planned, findings } = plan('tcp://h?auth=p&timeout=2.5&persistent=1')
  expect(planned).toBeDefined()
  expect(findings).toMatchSnapshot()
})

test.each([
  ['tcp://h:6379', ['h', 6379, false, undefined, undefined, undefined]],
  ['tcp://u:p@h:6379', ['h', 6379, false, 'u', 'p', undefined]],
  ['tcp://h?password=p&database=15', ['h', 6379, false, undefined, 'p', 15]],
  ['redis://h?auth=a+b', ['h', 6379, false, undefined, 'a+b', undefined]],
])('%s is not a save_path of phpredis, and is read as before', (uri, expected) => {
  expect(reading(uri)).toEqual(expected)
})

test.each<[string, string | undefined]>([
  ['tcp://h1:11211?weight=3, tcp://h2:11211?weight=1', 'h1:11211:3,h2:11211:1'],
  ['tcp://h1:11211, tcp://h2:11212', 'h1:11211,h2:11212'],
  ['h1:11211:3,h2:11211', 'h1:11211:3,h2:11211'],
  ['tcp://h1:11211?weight=many, tcp://h2', undefined],
])('servers of Memcached as %s', (servers, expected) => {
  for (const name of ['MEMCACHED_SERVERS', 'MEMCACHED_URL']) {
    const { directives } = planOn(fakeHost({ [name]: servers }))
    const path = directives.find((directive) => directive.name === 'session.save_path')
    expect([name, path?.value]).toEqual([name, expected])
  }
})

test("weights in Symfony's form are refused, not dropped", () => {
  const { planned, findings } = planOn(fakeHost({ MEMCACHED_URL: 'memcached:?host[h1]=3&host[h2:11212]=1' }))
  expect([planned, findings[0]?.id]).toEqual([undefined, 'binding.value'])
})
