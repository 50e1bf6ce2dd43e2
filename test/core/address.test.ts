import { expect, test } from 'vitest'
import { formatAddress, readHost, readPort, readSocket, readUri, type Uri } from '../../src/core/address.ts'

test.each<[string, Partial<Uri>]>([
  ['redis://h:6379', { scheme: 'redis', hosts: [{ host: 'h', port: '6379' }] }],
  [
    'rediss://:p%2Bw@h:6380/3',
    { scheme: 'rediss', user: '', password: 'p+w', hosts: [{ host: 'h', port: '6380' }], path: '3' },
  ],
  ['redis://app:a+b@h', { scheme: 'redis', user: 'app', password: 'a+b', hosts: [host('h')] }],
  ['redis://only-a-password@h', { scheme: 'redis', password: 'only-a-password', hosts: [host('h')] }],
  [
    'redis://u:p@ss/w?r#d@h/0',
    { scheme: 'redis', user: 'u', password: 'p@ss/w?r#d', hosts: [host('h')], path: '0' },
  ],
  [
    'redis://u:100%@[::1]:6379',
    { scheme: 'redis', user: 'u', password: '100%', hosts: [{ host: '[::1]', port: '6379' }] },
  ],
  ['REDIS://h?timeout=1', { scheme: 'redis', hosts: [host('h')], query: { timeout: '1' } }],
  [
    'redis://h1:1,h2,[::2]:3#mymaster',
    {
      scheme: 'redis',
      hosts: [{ host: 'h1', port: '1' }, host('h2'), { host: '[::2]', port: '3' }],
      fragment: 'mymaster',
    },
  ],
  [
    'redis:u:p@?host[h1:1]&host[h2]&dbindex=3',
    {
      scheme: 'redis',
      user: 'u',
      password: 'p',
      hosts: [{ host: 'h1', port: '1' }, host('h2')],
      query: { dbindex: '3' },
    },
  ],
  ['redis-cli --tls -u redis://h:1', { scheme: 'rediss', hosts: [{ host: 'h', port: '1' }] }],
  ['unix:/run/redis.sock', { scheme: 'unix', hosts: [host(undefined)], path: 'run/redis.sock' }],
  ['redis://h1,redis://h2', { scheme: 'redis+cluster', hosts: [host('h1'), host('h2')] }],
  [
    'h:6380,password=a=b&c,ssl=True,defaultDatabase=2',
    {
      scheme: 'rediss',
      hosts: [{ host: 'h', port: '6380' }],
      query: { password: 'a=b&c', ssl: 'True', db: '2' },
    },
  ],
])('reads the URI %s', (text, expected) => {
  const there = Object.entries(readUri(text) ?? {}).filter(
    ([name, value]) => value !== undefined && (name !== 'query' || Object.keys(value).length > 0),
  )
  expect(Object.fromEntries(there)).toEqual(expected)
})

function host(name: string | undefined) {
  return { host: name, port: undefined }
}

test.each(['h:6379', '', 'redis-cli -h h', '//h'])('`%s` is not a URI', (text) => {
  expect(readUri(text)).toBeUndefined()
})

test.each([
  ['redis.internal', 'redis.internal'],
  ['_srv.redis-1', '_srv.redis-1'],
  ['10.0.4.30', '10.0.4.30'],
  ['[fd00::1]', 'fd00::1'],
  ['fe80::1%eth0', 'fe80::1%eth0'],
  ['not-found', undefined],
  ['null', undefined],
  ['a b', undefined],
  ['h,evil', undefined],
  ['h?auth=x', undefined],
  ['tcp://h', undefined],
  ['h:6379', undefined],
  ['', undefined],
])('reads the host `%s`', (text, host) => {
  expect(readHost(text)).toBe(host)
})

test('a port is a number between 1 and 65535', () => {
  expect(['1', '65535', '0', '65536', '-1', '6379a', '1e3', ''].map(readPort)).toEqual([
    1,
    65535,
    ...Array(6).fill(undefined),
  ])
})

test('an IPv6 address is written in brackets', () => {
  expect(formatAddress({ host: '::1', port: 6379 })).toBe('[::1]:6379')
  expect(formatAddress({ host: 'h', port: 6379 })).toBe('h:6379')
})

test('a Unix socket is an absolute path without characters that have a meaning in a save_path', () => {
  expect(['/run/redis.sock', 'redis.sock', '/run/a b', '/run/a,b', '/run/a?b=c'].map(readSocket)).toEqual([
    '/run/redis.sock',
    ...Array(4).fill(undefined),
  ])
  expect(formatAddress({ host: '/run/redis.sock', port: 0 })).toBe('/run/redis.sock')
})
