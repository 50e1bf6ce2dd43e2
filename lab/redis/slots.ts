import type { Login } from './conf.ts'
import type { Redis } from './options.ts'

const MIGRATE_MILLISECONDS = 5000

/**
 * Moves slots and their keys in the order of Redis' cluster specification; the keys must have no line breaks.
 *
 * First the new owner is told, then the old one, then the keys move. The new owner is also the first node that is told
 * that it owns the slots: so clients are redirected, but never to a node that does not know of the move.
 */
export async function migrateSlots(
  slots: readonly number[],
  from: Redis,
  to: Redis,
  masters: readonly Redis[],
  login: Login,
): Promise<void> {
  const setSlots = (node: Redis, state: string, id: string) =>
    runAll(
      node,
      slots.map((slot) => ['CLUSTER', 'SETSLOT', String(slot), state, id]),
    )
  const [fromId, toId] = [from, to].map((node) => node.cli('CLUSTER', 'MYID')) as [string, string]
  await setSlots(to, 'IMPORTING', fromId)
  await setSlots(from, 'MIGRATING', toId)
  const keys = await from.batch(slots.map((slot) => ['CLUSTER', 'GETKEYSINSLOT', String(slot), '100000']))
  const target = [to.host, String(to.tlsPort ?? to.port)]
  const { user = 'default', password } = login
  const auth = password === undefined ? [] : ['AUTH2', user, password]
  await runAll(
    from,
    keys
      .filter((key) => key !== '')
      .map((key) => ['MIGRATE', ...target, key, '0', String(MIGRATE_MILLISECONDS), ...auth]),
  )
  for (const node of new Set([to, from, ...masters])) await setSlots(node, 'NODE', toId)
}

async function runAll(node: Redis, commands: readonly (readonly string[])[]): Promise<void> {
  const replies = await node.batch(commands)
  // NOKEY: the key has been deleted or has expired since it was listed.
  const bad = replies.filter((reply) => reply !== 'OK' && reply !== 'NOKEY')
  if (bad.length > 0) throw new Error(`slots cannot be moved: ${bad.join(', ')}`)
}
