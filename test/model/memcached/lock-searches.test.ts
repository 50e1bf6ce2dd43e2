import { test } from 'vitest'
import type { Model } from './events.ts'
import { expectSound } from './sound.ts'

// Each of these searches takes a second or more, so they do not run in `npm run check`.

const two = ['set', 'set'] as const
const three = ['set', 'set', 'set'] as const

test.each<[string, Model]>([
  ['two, of which one loses its connection, and the lock goes', { does: two, breaks: [1], lockLosses: 1 }],
  ['three that may give up waiting', { does: three, isImpatient: true }],
  ['three, and nothing fails', { does: three }],
  ['two, whose lock and data go', { does: two, lockLosses: 1, dataLosses: 1 }],
])('no order of events loses an update: %s', (_, model) => expectSound(model))
