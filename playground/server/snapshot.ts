import type { StoreState } from '../stores/store.ts'

/** All that the page shows. It is sent as a whole, some times a second; nothing in it grows without end. */
export interface Snapshot {
  /** Grows. The answer to a control has the number from which on it is shown. */
  readonly changes: number
  /** `busy` says what is under way; most controls wait for its end. */
  readonly busy: string | undefined
  readonly problem: string | undefined
  readonly isSticky: boolean
  readonly isClicking: boolean
  readonly isLoaded: boolean
  readonly scene: SceneView | undefined
  readonly lanes: readonly LaneView[]
  /** The second of the last element in `seconds` of every lane. */
  readonly now: number
  readonly marks: readonly Mark[]
  readonly story: readonly StoryEntry[]
}

export interface SceneView {
  readonly id: string
  readonly title: string
  readonly about: string
  readonly page: string
  readonly steps: readonly string[]
  /** How many steps have begun. */
  readonly begun: number
  readonly results: readonly ResultRow[] | undefined
}

export interface ResultRow {
  readonly lane: string
  readonly isPromised: boolean
  readonly promised: string
  readonly seen: string
  readonly isKept: boolean
}

export interface LaneView {
  readonly id: string
  readonly title: string
  readonly url: string
  readonly isPromised: boolean
  /** What php-sessions, or php_buildpack, has made of the binding. */
  readonly because: string
  readonly store: { readonly title: string; readonly state: StoreState } | undefined
  readonly can: readonly StoreFault[]
  readonly instances: readonly InstanceView[]
  readonly underWay: number
  readonly visitors: readonly VisitorView[]
  readonly acknowledged: number
  readonly lost: number
  readonly loggedOut: number
  readonly statuses: Readonly<Record<string, number>>
  /** The last requests, oldest first. */
  readonly recent: readonly Recent[]
  /** Who has a session that others wait for, as `php-sessions locks` says it. */
  readonly lock: string | undefined
  /** The longest that a page has lately waited for its session, in milliseconds. */
  readonly waited: number
  readonly seconds: readonly Second[]
}

export type StoreFault = 'freeze' | 'restart' | 'failOver' | 'rotate'

export interface InstanceView {
  readonly index: number
  readonly state: 'starting' | 'up' | 'down'
  readonly requests: number
}

export interface VisitorView {
  readonly name: string
  readonly state: 'known' | 'stranger' | 'refused' | 'failed'
  readonly updates: number
  readonly books: number
}

export interface Recent {
  readonly number: number
  readonly instance: number | undefined
  readonly outcome: Tone
}

export type Tone = 'known' | 'stranger' | 'refused' | 'failed'

/** What happened to visitors within a second. */
export interface Second {
  readonly known: number
  readonly stranger: number
  readonly refused: number
  readonly failed: number
  /** Sessions and updates that were seen to be lost. */
  readonly lost: number
  readonly p50: number | undefined
  readonly p99: number | undefined
}

/** Something that was done to all lanes, at a second. */
export interface Mark {
  readonly second: number
  readonly text: string
}

export interface StoryEntry {
  readonly number: number
  /** When it was last seen, and how often in a row. */
  readonly second: number
  readonly times: number
  /** The title of a lane; undefined for what happens in all. */
  readonly lane: string | undefined
  readonly tone: 'good' | 'bad' | 'plain'
  readonly text: string
  readonly page: string | undefined
}

/** What the page asks for. */
export type Control =
  | { readonly do: 'open'; readonly lanes: readonly string[] }
  | { readonly do: 'play'; readonly scene: string }
  | { readonly do: 'kill'; readonly index: number }
  | { readonly do: 'stick' | 'click' | 'load'; readonly isOn: boolean }
  | { readonly do: 'start missing' | 'restart instances' | 'restage' | 'click in parallel' }
  | { readonly do: 'freeze' | 'thaw' | 'restart store' | 'fail over' | 'rotate' }

/** What the page knows from the start. */
export interface PageFacts {
  readonly scenes: readonly { readonly id: string; readonly title: string; readonly about: string }[]
  readonly lanes: readonly { readonly word: string; readonly title: string }[]
}
