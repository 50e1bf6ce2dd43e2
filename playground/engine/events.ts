import type { StoreState } from '../stores/store.ts'
import type { LockSight } from './lock-sight.ts'

/** Something that happened in a lane. The page and the terminal show it; nothing in it is secret. */
export type LaneEvent =
  | { readonly kind: 'instance'; readonly index: number; readonly state: 'starting' | 'up' | 'down' }
  | { readonly kind: 'store'; readonly state: StoreState }
  /** A request goes to an instance; undefined if none is up. */
  | { readonly kind: 'routed'; readonly number: number; readonly path: string; readonly instance?: number }
  | {
      readonly kind: 'answered'
      readonly number: number
      readonly status: number
      readonly instance?: number
    }
  /** What a visitor has got for a click. */
  | { readonly kind: 'click'; readonly click: Click }
  /** A visitor is not known any more, and so many updates are gone with the session; or only updates are gone. */
  | {
      readonly kind: 'lost'
      readonly visitor: string
      readonly what: 'session' | 'updates'
      readonly updates: number
    }
  /** Who has a session that others wait for; nobody, if it is absent. */
  | { readonly kind: 'lock'; readonly sight?: LockSight }
  | { readonly kind: 'sticky'; readonly isOn: boolean }

/** A click of a visitor, as the visitor sees it. */
export interface Click {
  readonly visitor: string
  readonly action: Action
  /** 0 if there was no answer in time, or the connection ended. */
  readonly status: number
  readonly milliseconds: number
  readonly instance?: number
  /** `known` and `stranger` say whether the page knew the visitor; `refused` is an answer that says: not now. */
  readonly outcome: 'known' | 'stranger' | 'refused' | 'failed'
  /** How long the page waited for its session. */
  readonly waitedMilliseconds?: number
}

export type Action = 'look' | 'login' | 'add' | 'visit' | 'slow'

export type Stamped = LaneEvent & {
  readonly lane: string
  /** Milliseconds since the playground began. */
  readonly at: number
}

/** Hands events to those who have asked for them. */
export interface Journal {
  tell(lane: string, event: LaneEvent): void
  /** Gives the function that ends it. */
  listen(listener: (event: Stamped) => void): () => void
}

export function makeJournal(): Journal {
  const listeners = new Set<(event: Stamped) => void>()
  const began = performance.now()
  return {
    tell: (lane, event) => {
      const stamped = { ...event, lane, at: Math.round(performance.now() - began) }
      for (const listener of listeners) listener(stamped)
    },
    listen: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
