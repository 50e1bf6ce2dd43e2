import { expect, test } from 'vitest'
import type { Model } from './lock-model.ts'
import { expectFound, expectSound, type Mutant, makeModel, one, two } from './scripts.ts'
import { type Found, search } from './search.ts'

// Searches that take a second or more are in lock-searches.test.ts.

const NEW = { data: undefined } satisfies Partial<Model>
const counter = (_: number, read: string) => String(Number(read) + 1)
const toggle = (_: number, read: string) => (read === '1' ? '0' : '1')

test.each<[string, Model['does'], Partial<Model>]>([
  ['one request alone, that loses its connection and dies', one, { breaks: [1], deaths: 1 }],
  ['two that count, all alive and connected', two, { write: counter }],
  ['a session that is destroyed while another touches it', ['touch', 'delete'], { breaks: [1, 1] }],
  ['two connections lost by one request', two, { breaks: [2] }],
  ['a request that must find its session', two, { ...NEW, breaks: [1], isStrict: true }],
  ['requests of which none may wait', two, { breaks: [1, 1], maxWaiting: 0 }],
])('no order of events breaks the lock: %s', (_, does, more) => expectSound(does, more))

const MUTANTS: readonly Mutant[] = [
  [
    'RELEASE does not ask whose lock it is',
    'local what = ARGV[2]\n',
    'local what = ARGV[2]\nisMine = true\n',
    two,
    {},
    'overwrites what it has not read',
  ],
  [
    'a late writer does not compare',
    '(owner or redis.sha1hex(data) ~= ARGV[5])',
    'owner',
    two,
    {},
    'overwrites what it has not read',
  ],
  [
    'a late writer writes while another has the lock',
    '(owner or redis.sha1hex(data) ~= ARGV[5])',
    'redis.sha1hex(data) ~= ARGV[5]',
    two,
    {},
    'overwrites what it has not read',
  ],
  [
    'a second try does not know its own write',
    "if ARGV[7] == '2' and data ~= ARGV[4] then answer = 3",
    "if ARGV[7] == '2' then answer = 3",
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
    'a request takes what another says of itself for its own token',
    'string.find(owner, ARGV[1], 1, true) == 1\nif not owner',
    'string.find(owner, ARGV[1], 1, true)\nif not owner',
    two,
    {},
    'two hold the lock',
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
  ['the lock has no end', "ARGV[8], 'PX', ARGV[2]", 'ARGV[8]', two, { deaths: 1 }, 'nothing moves any more'],
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
  [
    'a late writer is not asked for the hash',
    "if ARGV[5] == '?' and ARGV[7] ~= '2' and not owner then return {ARGV[1], 4} end",
    '',
    one,
    {},
    'is refused though it is alone',
  ],
  [
    'a late RELEASE does not look for the mark',
    'if told then return {ARGV[1], tonumber(told)} end',
    '',
    ['set', 'delete'],
    { ...NEW, breaks: [1], sendsHash: true },
    'brings back a destroyed session',
  ],
  [
    'a second RELEASE writes where the data are those that were read',
    "if ARGV[7] == '2' or answer == 0 then what = 'nothing' end",
    "if answer ~= 1 and (answer == 0 or redis.sha1hex(data) ~= ARGV[5]) then what = 'nothing' end",
    ['set', 'delete'],
    { ...NEW, breaks: [1] },
    'brings back a destroyed session',
  ],
  [
    'a RELEASE leaves no mark',
    "redis.pcall('SET', KEYS[5], answer, 'PX', 60000)",
    '',
    ['set', 'delete'],
    { ...NEW, breaks: [1] },
    'A locks for nobody',
  ],
  ['the mark has no end', "answer, 'PX', 60000", 'answer', two, { breaks: [1] }, 'a mark has no end'],
  [
    'a late TAKE does not look for the mark',
    "if redis.call('EXISTS', KEYS[5]) == 1 then return {ARGV[1], 5} end",
    '',
    two,
    { breaks: [1] },
    'A locks for nobody',
  ],
  [
    'a RELEASE that may have been done is answered as one that was not',
    'data ~= ARGV[4] then answer = 3',
    'data ~= ARGV[4] then answer = 0',
    two,
    { breaks: [1] },
    'A is told that its set was not done, which it was',
  ],
  [
    'who touches a session that was destroyed writes it',
    " and (isMine or ARGV[5] == '') then return {ARGV[1], 2}",
    ' then return {ARGV[1], 2}',
    ['touch', 'delete'],
    { breaks: [1] },
    'A is refused though it changed nothing',
  ],
]

test.each(MUTANTS)('a broken script is found out: %s', (...mutant) => expectFound(mutant))

test('a wait without an end is found out', () => {
  expect(search(makeModel(two, { deaths: 1, hasTimeout: false })).violation).toMatch(
    /waits for ever|nothing moves/,
  )
})

test.each<[string, Model['patience'], Partial<Model>]>([
  ['fails while its TAKE may still run', { outlastsTake: false, leaves: true }, { breaks: [2] }],
  [
    'ends its wait and does not say so',
    { outlastsTake: true, leaves: false },
    { breaks: [1], givesUp: true },
  ],
  ['is refused and does not say so', { outlastsTake: true, leaves: false }, { breaks: [1], maxWaiting: 0 }],
])('a handler that %s is found out', (_, patience, more) => {
  expect(search(makeModel(two, more)).violation).toBeUndefined()
  expect(search(makeModel(two, { ...more, patience })).violation).toBe('A locks for nobody')
})

/** What docs/internals/managed-handler-protocol.md does not promise, each on a shortest way to it. */
test.each<[string, Model['does'], Partial<Model>]>([
  ['the same bytes from another request, after a lost connection', two, { write: counter, breaks: [1] }],
  ['the same bytes from two requests that each undo the other', two, { write: toggle, breaks: [1] }],
])('beyond the promise: %s', (_, does, more) => {
  const { violation, trace }: Found = search(makeModel(does, more))
  expect([...trace, violation]).toMatchSnapshot()
})
