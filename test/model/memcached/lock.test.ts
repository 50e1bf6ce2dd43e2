import { expect, test } from 'vitest'
import type { Broken } from './client.ts'
import type { Model } from './events.ts'
import { search } from './search.ts'
import { expectSound } from './sound.ts'

// Searches that take a second or more are in lock-searches.test.ts.

const two = ['set', 'set'] as const

test.each<[string, Model]>([
  ['one alone, that loses its connection', { does: ['set'], breaks: [1] }],
  ['one alone, whose data and lock go', { does: ['set'], lockLosses: 1, dataLosses: 1 }],
  ['two, and nothing fails', { does: two }],
  ['two that make a new session', { does: two, isNew: true, deaths: 1 }],
  ['two, of which one dies', { does: two, deaths: 1 }],
  ['two, whose lock goes', { does: two, lockLosses: 1 }],
  ['two, of which one loses its connection', { does: two, breaks: [1] }],
  ['two, of which one gets no answer', { does: two, breaks: [1], isSilent: true }],
  ['one that writes and one that ends the session', { does: ['set', 'delete'] }],
  ['one that only reads, and the lock goes', { does: ['nothing', 'set'], lockLosses: 1 }],
  ['one of the native handler', { does: ['native', 'set'] }],
])('no order of events loses an update: %s', (_, model) => expectSound(model))

test.each<[Broken, Model, string]>([
  ['writes without a number', { does: two, lockLosses: 1 }, 'overwrites what it has not read'],
  ['deletes the lock without its number', { does: two, lockLosses: 1 }, 'releases the lock of another'],
  ['takes over without a number', { does: ['set', 'set', 'set'] }, 'two hold the lock'],
  ['believes the answer to add', { does: ['set'], breaks: [1] }, 'waits though it is alone'],
  ['does not compare the data', { does: two, lockLosses: 1 }, 'overwrites what it has not read'],
  ['does not know its own write', { does: ['set'], breaks: [1] }, 'is refused though it had the lock'],
  ['reads the data first', { does: two }, 'has not read what is there'],
  ['leaves no mark', { does: two }, 'one waits for ever'],
  ['does not see marks', { does: two }, 'one waits for ever'],
  ['sends no farewell', { does: two, breaks: [1], isSilent: true }, 'has gone and leaves its lock'],
  ['takes the lock and does not read', { does: two, breaks: [1] }, 'has not read what is there'],
])('a handler is found out that %s', (broken, model, violation) => {
  expect(search({ ...model, broken }).violation).toContain(violation)
})

/** What docs/internals/managed-memcached-protocol.md does not promise, each on a shortest way to it. */
test.each<[string, Model]>([
  [
    'a write again, after a lost connection, of a session that was ended',
    { does: ['set', 'delete'], breaks: [1] },
  ],
  ['a write of a session that a request ended that had died', { does: ['set', 'delete'], deaths: 1 }],
])('beyond the promise: %s', (_, model) => {
  const { violation, trace } = search(model)
  expect([...trace, violation]).toMatchSnapshot()
})
