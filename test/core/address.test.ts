import { expect, test } from 'vitest'
import { formatAddress, readHost, readPort, readUri } from '../../src/core/address.ts'

test.each([
  ['redis://h:6379', { scheme: 'redis', host: 'h', port: '6379' }],
  [
    'rediss://:p%2Bw@h:6380/3',
    { scheme: 'rediss', user: '', password: 'p+w', host: 'h', port: '6380', path: '3' },
  ],
  ['redis://app:a+b@h', { scheme: 'redis', user: 'app', password: 'a+b', host: 'h' }],
  ['redis://only-a-password@h:1', { scheme: 'redis', password: 'only-a-password', host: 'h', port: '1' }],
  [
    'redis://u:p@ss/w?r#d@h:1/0',
    { scheme: 'redis', user: 'u', password: 'p@ss/w?r#d', host: 'h', port: '1', path: '0' },
  ],
  [
    'redis://u:100%@[::1]:6379',
    { scheme: 'redis', user: 'u', password: '100%', host: '[::1]', port: '6379' },
  ],
  ['REDIS://h?timeout=1', { scheme: 'redis', host: 'h' }],
])('reads %s', (text, expected) => {
  expect(Object.fromEntries(Object.entries(readUri(text) ?? {}).filter(([, v]) => v !== undefined))).toEqual(
    expected,
  )
})

test.each(['h:6379', '', 'redis-cli -u redis://h', '//h'])('does not take `%s` for a URI', (text) => {
  expect(readUri(text)).toBeUndefined()
})

test.each([
  ['redis.internal', 'redis.internal'],
  ['_srv.redis-1', '_srv.redis-1'],
  ['10.0.4.30', '10.0.4.30'],
  ['[fd00::1]', 'fd00::1'],
  ['fe80::1%eth0', 'fe80::1%eth0'],
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
