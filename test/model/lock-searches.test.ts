import { test } from 'vitest'
import type { Model } from './lock-model.ts'
import { expectFound, expectSound, type Mutant, two } from './scripts.ts'

// Each of these searches takes a second or more, so they do not run in `npm run check`.

const NEW = { data: undefined } satisfies Partial<Model>
const three: Model['does'] = ['set', 'set', 'set']
const reader: Model['does'] = ['nothing', 'set', 'set']

test.each<[string, Model['does'], Partial<Model>]>([
  ['two, of which each may lose its connection and one dies', two, { breaks: [1, 1], deaths: 1 }],
  ['one that deletes and one that writes', ['delete', 'set'], { breaks: [1, 1], deaths: 1 }],
  ['a new session that another request destroys', ['set', 'delete'], { ...NEW, breaks: [2], deaths: 1 }],
  ['requests whose wait has a limit', two, { breaks: [1, 1], givesUp: true }],
  [
    'a hash that nobody has asked for',
    ['set', 'delete'],
    { ...NEW, breaks: [2], deaths: 1, sendsHash: true },
  ],
  ['three, of which one loses its connection and one dies', three, { breaks: [1], deaths: 1 }],
  [
    'a new session that a second destroys and a third writes again',
    ['set', 'delete', 'set'],
    { ...NEW, breaks: [1] },
  ],
  ['three, of which one only reads and one dies', reader, { deaths: 1 }],
])('no order of events breaks the lock: %s', (_, does, more) => expectSound(does, more))

const MUTANTS: readonly Mutant[] = [
  [
    'a late reader removes the lock of another',
    "elseif isMine then\n    redis.call('DEL', KEYS[2])",
    "elseif true then\n    redis.call('DEL', KEYS[2])",
    reader,
    {},
    'two hold the lock',
  ],
  [
    'whoever comes first takes the lock that is on its way',
    "(owner == '@' and ARGV[3] == 'woken')",
    "owner == '@'",
    three,
    {},
    'overtakes another that was called',
  ],
]

test.each(MUTANTS)('a broken script is found out: %s', (...mutant) => expectFound(mutant))
