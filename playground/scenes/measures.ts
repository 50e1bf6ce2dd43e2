import type { Click } from '../engine/events.ts'
import type { Ledger } from '../engine/ledger.ts'
import type { LockSight } from '../engine/lock-sight.ts'
import type { Promised } from './scene.ts'

/** What was seen in a lane while a scene was played. */
export interface Seen {
  readonly clicks: readonly Click[]
  /** Of the visitor that scenes are about, who comes first, and of all others. */
  readonly ledgers: readonly Readonly<Ledger>[]
  /** Who had a session that others waited for. */
  readonly locks: readonly LockSight[]
}

/** The visitor that scenes are about; all others are `others`. */
export const ADA = 'Ada'

export interface Verdict {
  readonly promised: string
  readonly seen: string
  readonly isKept: boolean
}

/** Compares what was seen with a promise. */
export function judge(promised: Promised, seen: Seen): Verdict {
  const { ledgers } = seen
  const sum = (what: keyof Ledger) => ledgers.reduce((total, ledger) => total + ledger[what], 0)
  switch (promised.measure) {
    case 'loggedOut': {
      const words = (count: number) => (count === 0 ? 'never logged out' : `logged out ${times(count)}`)
      return {
        promised: promised.is === 'none' ? 'never logged out' : 'logged out',
        seen: words(sum('loggedOut')),
        isKept: sum('loggedOut') > 0 === (promised.is === 'some'),
      }
    }
    case 'lostUpdates':
      return {
        promised: promised.is === 'none' ? 'no update lost' : 'updates lost',
        seen: `${sum('lost')} of ${sum('acknowledged')} updates lost`,
        isKept: sum('lost') > 0 === (promised.is === 'some'),
      }
    case 'visitorsLoggedOut': {
      const out = ledgers.filter(({ loggedOut }) => loggedOut > 0).length
      return {
        promised: promised.is === 'none' ? 'nobody is logged out' : 'everybody is logged out',
        seen: `${out} of ${ledgers.length} visitors logged out`,
        isKept: out === (promised.is === 'none' ? 0 : ledgers.length),
      }
    }
    case 'holder': {
      const most = seen.locks.filter(({ isNamed }) => isNamed).sort((a, b) => b.waiting - a.waiting)[0]
      return {
        promised: 'the lock says who has it',
        seen: most === undefined ? 'nobody was named' : `${most.waiting} waited for ${most.holder}`,
        isKept: most !== undefined,
      }
    }
    case 'refused': {
      const count = seen.clicks.filter(({ outcome }) => outcome === 'refused').length
      return {
        promised: 'an error page while it must wait',
        seen: `${count} with status ${statusesOf(seen.clicks) || '503'}`,
        isKept: count > 0,
      }
    }
    case 'known at the end': {
      const isKnown = seen.clicks.findLast(({ visitor }) => visitor === ADA)?.outcome === 'known'
      return {
        promised: promised.is === 'yes' ? 'works at the end' : 'does not work at the end',
        seen: isKnown ? 'works at the end' : 'does not work at the end',
        isKept: isKnown === (promised.is === 'yes'),
      }
    }
    default:
      return judgeTime(promised, seen.clicks)
  }
}

function judgeTime(promised: Extract<Promised, { seconds: number }>, clicks: readonly Click[]): Verdict {
  const isOfOthers = promised.measure === 'slowestOfOthers'
  const wanted = clicks.filter(({ visitor }) => (visitor !== ADA) === isOfOthers)
  const slowest = Math.max(0, ...wanted.map(({ milliseconds }) => milliseconds)) / 1000
  const subject = isOfOthers ? 'another visitor waits' : 'a page takes'
  const isBelow = slowest < promised.seconds
  return {
    promised: `${subject} ${promised.is === 'below' ? 'less' : 'more'} than ${promised.seconds} s`,
    seen: `${slowest.toFixed(1)} s`,
    isKept: isBelow === (promised.is === 'below'),
  }
}

function statusesOf(clicks: readonly Click[]): string {
  const refused = clicks.filter(({ outcome }) => outcome === 'refused')
  return [...new Set(refused.map(({ status }) => status))].sort().join(' and ')
}

export function times(count: number): string {
  return count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`
}
