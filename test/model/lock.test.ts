import { expect, test } from 'vitest'
import type { Model } from './lock-model.ts'
import { expectFound, expectSound, type Mutant, makeModel, one, two } from './scripts.ts'
import { type Found, search } from './search.ts'

// Searches with three requests take long: they are in lock-of-three.test.ts.

const counter = (_: number, read: string) => String(Number(read) + 1)
const toggle = (_: number, read: string) => (read === '1' ? '0' : '1')

test.each<[string, Model['does'], Partial<Model>]>([
  ['one request alone, that loses its connection and dies', one, { breaks: [1], deaths: 1 }],
  ['two, of which each may lose its connection and one dies', two, { breaks: [1, 1], deaths: 1 }],
  ['two that count, all alive and connected', two, { write: counter }],
  ['one that deletes and one that writes', ['delete', 'set'], { breaks: [1, 1], deaths: 1 }],
])('no order of events breaks the lock: %s', (_, does, more) => expectSound(does, more))

const MUTANTS: readonly Mutant[] = [
  [
    'RELEASE does not ask whose lock it is',
    'local failed\n',
    'isMine = true\nlocal failed\n',
    two,
    {},
    'overwrites what it has not read',
  ],
  [
    'a late writer does not compare',
    ' or redis.sha1hex(data) ~= ARGV[5]',
    '',
    two,
    {},
    'overwrites what it has not read',
  ],
  [
    'a late writer writes while another has the lock',
    'if owner or redis.sha1hex',
    'if redis.sha1hex',
    two,
    {},
    'overwrites what it has not read',
  ],
  [
    'a second try does not know its own write',
    "if ARGV[7] ~= '0' and data == ARGV[4] then return {ARGV[1], 1} end",
    '',
    one,
    { breaks: [1] },
    'is refused though it is alone',
  ],
  [
    'a second try does not know its own lock',
    'not owner or isMine or',
    'not owner or',
    one,
    { breaks: [1] },
    'waits though it is alone',
  ],
  [
    'a request is never too late',
    'if now > tonumber(ARGV[4]) then return {ARGV[1], 3, tostring(now)} end',
    '',
    two,
    { breaks: [1] },
    'overwrites what it has not read',
  ],
  [
    'the one who was called does not get the lock',
    " or (owner == '@' and ARGV[3] == 'woken')",
    '',
    two,
    {},
    'was called and must wait',
  ],
  ["'@' has no end", "'@', 'PX', 1000", "'@'", two, { deaths: 1 }, 'nothing moves any more'],
  [
    'the lock has no end',
    "ARGV[1] .. ARGV[6], 'PX', ARGV[2]",
    'ARGV[1]',
    two,
    { deaths: 1 },
    'nothing moves any more',
  ],
  [
    'the call has no end',
    "redis.call('PEXPIRE', KEYS[4], 1000)",
    '',
    two,
    { deaths: 1 },
    'nothing moves any more',
  ],
  [
    'the set of waiters has no end',
    "redis.call('PEXPIRE', KEYS[3], 1500)",
    '',
    two,
    { deaths: 1 },
    'nothing moves any more',
  ],
]

test.each(MUTANTS)('a broken script is found out: %s', (...mutant) => expectFound(mutant))

test('a wait without an end is found out', () => {
  expect(search(makeModel(two, { deaths: 1, hasTimeout: false })).violation).toMatch(
    /waits for ever|nothing moves/,
  )
})

/** What docs/internals/managed-handler-protocol.md does not promise, each on a shortest way to it. */
test.each<[string, Model['does'], Partial<Model>]>([
  ['the same bytes from another request, after a lost connection', two, { write: counter, breaks: [1] }],
  ['the old bytes from another request, after a lost connection', two, { write: toggle, breaks: [1] }],
  ['two connections lost by one request', two, { breaks: [2] }],
])('beyond the promise: %s', (_, does, more) => {
  const { violation, trace }: Found = search(makeModel(does, more))
  expect([...trace, violation]).toMatchSnapshot()
})
