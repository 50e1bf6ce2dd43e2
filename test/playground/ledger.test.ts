import { expect, test } from 'vitest'
import { Account } from '../../playground/engine/ledger.ts'

test('an update that was acknowledged and is not in the session is lost, and is counted once', () => {
  const account = new Account()
  for (let i = 0; i < 5; i++) account.acknowledge()
  expect(account.audit(3)).toBe(2)
  expect(account.audit(3)).toBe(0)
  expect(account.audit(2)).toBe(1)
  expect(account.total).toEqual({ acknowledged: 5, lost: 3, loggedOut: 0 })
})

test('an update that was written and not acknowledged is no loss', () => {
  const account = new Account()
  account.acknowledge()
  expect(account.audit(2)).toBe(0)
  expect(account.total.lost).toBe(0)
})

test('a visitor who is logged out has lost the whole session and starts over', () => {
  const account = new Account()
  for (let i = 0; i < 3; i++) account.acknowledge()
  account.audit(2)
  expect(account.forget()).toBe(2)
  account.acknowledge()
  expect(account.audit(1)).toBe(0)
  expect(account.total).toEqual({ acknowledged: 4, lost: 3, loggedOut: 1 })
})
