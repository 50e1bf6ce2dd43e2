import type { HeldLock, HeldLocks } from '../../src/sessions/locks-text.ts'

/** Who has a session that others wait for. */
export interface LockSight {
  readonly waiting: number
  /** The request that has it, in words. */
  readonly holder: string
  /** Whether the lock says which page it is. */
  readonly isNamed: boolean
  readonly text: string
}

/** What `php-sessions locks` says of the session for which most requests wait; undefined if nobody has one for long. */
export function sightOf({ longest }: Pick<HeldLocks, 'longest'>, underWay: number): LockSight | undefined {
  const [most] = [...longest].sort((a, b) => b.waiting - a.waiting)
  if (most === undefined || (most.waiting === 0 && underWay < 2)) return undefined
  const { handler, waiting, heldSeconds } = most
  const holder = holderOf(most)
  const isNamed = handler === 'managed'
  const has = heldSeconds === null ? 'has the session' : `has had the session for ${heldSeconds.toFixed(1)} s`
  const text =
    waiting > 0
      ? `${waiting === 1 ? '1 request waits' : `${waiting} requests wait`} for ${holder}, which ${has}`
      : `${holder} ${has}, ${underWay} requests are under way${isNamed ? '' : '; the lock names neither its page nor the requests that wait'}`
  return { waiting, holder, isNamed, text }
}

function holderOf({ handler, instance, process, method, path }: HeldLock): string {
  switch (handler) {
    case 'managed':
      return `${method} ${path}${instance === null ? '' : ` of instance ${instance}`}`
    case 'native':
      return `a request${process === null ? '' : ` of process ${process}`}`
    case 'next':
      return 'a request that is getting it now'
  }
  return 'a request'
}
