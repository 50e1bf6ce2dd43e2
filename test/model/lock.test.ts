import { expect, test } from 'vitest'
import handler from '../../src/stores/redis/handler/handler.php'
import type { Model } from './lock-model.ts'
import { compile, scriptOf } from './lua.ts'
import { type Found, search } from './search.ts'

const unique = (client: number) => 'xyz'.charAt(client)
const counter = (_: number, read: string) => String(Number(read) + 1)
const toggle = (_: number, read: string) => (read === '1' ? '0' : '1')

function model(does: Model['does'], more: Partial<Model> = {}, php = handler): Model {
  const take = compile(scriptOf(php, 'TAKE'))
  const release = compile(scriptOf(php, 'RELEASE'))
  return { take, release, does, write: unique, breaks: [], deaths: 0, hasTimeout: true, ...more }
}

const one: Model['does'] = ['set']
const two: Model['does'] = ['set', 'set']
const three: Model['does'] = ['set', 'set', 'set']
const reader: Model['does'] = ['nothing', 'set', 'set']

test.each<[string, Model['does'], Partial<Model>]>([
  ['one request alone, that loses its connection and dies', one, { breaks: [1], deaths: 1 }],
  ['two, of which each may lose its connection and one dies', two, { breaks: [1, 1], deaths: 1 }],
  ['two that count, all alive and connected', two, { write: counter }],
  ['three, of which one loses its connection and one dies', three, { breaks: [1], deaths: 1 }],
  ['three, of which one only reads and one dies', reader, { deaths: 1 }],
  ['one that deletes and one that writes', ['delete', 'set'], { breaks: [1, 1], deaths: 1 }],
])('no order of events breaks the lock: %s', (_, does, more) => {
  const { violation, trace, states } = search(model(does, more))
  expect({ violation, trace }).toEqual({ violation: undefined, trace: [] })
  // A search that stops early proves nothing.
  expect(states).toBeGreaterThan(does.length === 1 ? 20 : 100)
})

test.each<[string, string, string, Model['does'], Partial<Model>, string]>([
  [
    'RELEASE does not ask whose lock it is',
    'local failed\n',
    'isMine = true\n        local failed\n',
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
    'a late reader removes the lock of another',
    "elseif isMine then\n            redis.call('DEL', KEYS[2])",
    "elseif true then\n            redis.call('DEL', KEYS[2])",
    reader,
    {},
    'two hold the lock',
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
    'whoever comes first takes the lock that is on its way',
    "(owner == '@' and ARGV[3] == 'woken')",
    "owner == '@'",
    three,
    {},
    'overtakes one who was called',
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
])('a broken script is found out: %s', (_, sound, broken, does, more, violation) => {
  expect(handler.split(sound), `handler.php holds once: ${sound}`).toHaveLength(2)
  expect(search(model(does, more)).violation).toBeUndefined()
  expect(search(model(does, more, handler.replace(sound, broken))).violation).toContain(violation)
})

test('a wait without an end is found out', () => {
  expect(search(model(two, { deaths: 1, hasTimeout: false })).violation).toMatch(
    /waits for ever|nothing moves/,
  )
})

/** What docs/managed-handler.md says that it does not promise, on a shortest way. */
test.each<[string, Model['does'], Partial<Model>]>([
  ['the same bytes from another request, after a lost connection', two, { write: counter, breaks: [1] }],
  ['the old bytes from another request, after a lost connection', two, { write: toggle, breaks: [1] }],
  ['two connections lost by one request', two, { breaks: [2] }],
])('beyond the promise: %s', (_, does, more) => {
  const { violation, trace }: Found = search(model(does, more))
  expect([...trace, violation]).toMatchSnapshot()
})
