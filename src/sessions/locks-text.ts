import { oneLine } from '../core/text.ts'
import { amount, duration } from './count-text.ts'
import { renderPlace, type SessionPlace } from './local-files.ts'

/** The lock of a session, and the request that holds it. What is not known is null. */
export interface HeldLock {
  /** Whose code holds it: `managed`, `native`, `next` while it is passed to a waiting request, or `unknown`. */
  readonly handler: string
  /** The index of the instance, or its host. */
  readonly instance: string | null
  readonly process: number | null
  readonly method: string | null
  readonly path: string | null
  readonly heldSeconds: number | null
  /** When the lock expires if the request does not release it. */
  readonly endsInSeconds: number | null
  readonly waiting: number
  /** Only with --ids. */
  readonly id: string | null
}

/** What `locks` prints as JSON: docs/sessions.schema.json. */
export interface HeldLocks {
  readonly version: 1
  readonly time: number
  readonly store: SessionPlace
  readonly locks: number
  /** The requests that wait, of all locks. */
  readonly waiting: number
  /** Those that are held longest, at most 100. */
  readonly longest: readonly HeldLock[]
}

/** Renders locks for people, the longest first. */
export function renderLocks({ locks, waiting, longest, store }: HeldLocks): string {
  const place = renderPlace(store)
  if (locks === 0) return `no session is locked in ${place}\n`
  const count = locks === 1 ? '1 session is locked' : `${amount(locks)} sessions are locked`
  const waits = waiting === 1 ? '1 request waits' : `${amount(waiting)} requests wait`
  const more = locks - longest.length
  return [
    `${count} in ${place}, ${waits}`,
    '      held  waiting   ends in  by',
    ...longest.map(renderLock),
    ...(more > 0 ? [`and ${amount(more)} more`] : []),
    '',
  ].join('\n')
}

function renderLock(lock: HeldLock): string {
  const held = lock.heldSeconds === null ? '?' : `${lock.heldSeconds.toFixed(1)} s`
  const end = lock.endsInSeconds === null ? 'never' : duration(Math.ceil(lock.endsInSeconds))
  const id = lock.id === null ? '' : `  ${lock.id}`
  const cells = [held.padStart(10), String(lock.waiting).padStart(7), end.padStart(8)]
  return `${cells.join('  ')}  ${oneLine(`${nameOf(lock)}${id}`)}`
}

function nameOf({ handler, instance, process, method, path }: HeldLock): string {
  const where = instance === null ? '' : ` (instance ${instance}, process ${process})`
  switch (handler) {
    case 'managed':
      return `${method} ${path}${where}`
    case 'native':
      return `PHP's own handler${where.replace('instance', 'host')}`
    case 'next':
      return 'being passed to a waiting request'
  }
  return 'an unidentified request'
}
