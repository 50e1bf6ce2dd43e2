import type { Action } from '../engine/events.ts'
import type { WayName } from '../engine/ways.ts'
import type { StoreKind } from '../stores/store.ts'

/** What people report, as a play: the same visitors, clicks and faults in each lane. */
export interface Scene {
  readonly id: string
  readonly title: string
  /** What people report, in a sentence or two. */
  readonly about: string
  /** The page of the documentation, with its heading. */
  readonly page: string
  readonly isSticky: boolean
  readonly lanes: readonly SceneLane[]
  readonly steps: readonly Step[]
}

export interface SceneLane {
  readonly way: WayName
  readonly store: StoreKind
  readonly promises: readonly Promised[]
  /** Settings of php-sessions besides those of its way. */
  readonly settings?: Readonly<Record<string, string>>
}

/** What must be seen at the end. Of ways without php-sessions it is what people report. */
export type Promised =
  | { readonly measure: 'loggedOut' | 'lostUpdates'; readonly is: 'none' | 'some' }
  | {
      readonly measure: 'slowest' | 'slowestOfOthers'
      readonly is: 'below' | 'above'
      readonly seconds: number
    }
  | { readonly measure: 'refused'; readonly is: 'some' }
  /** Of all visitors of the lane. */
  | { readonly measure: 'visitorsLoggedOut'; readonly is: 'none' | 'all' }
  /** Whether `php-sessions locks` has said which page others wait for. */
  | { readonly measure: 'holder'; readonly is: 'named' }
  | { readonly measure: 'known at the end'; readonly is: 'yes' | 'no' }

/** What happens in all lanes at once; `says` is for those who watch. */
export type Step = { readonly says: string } & (
  | { readonly do: 'click'; readonly action: Action; readonly times: number }
  | { readonly do: 'click in parallel'; readonly times: number }
  /** Each of these visitors. */
  | { readonly do: 'click each'; readonly visitors: readonly string[]; readonly action: Action }
  /** Only for an app of somebody else: visits its own pages. */
  | { readonly do: 'visit own pages' }
  /** The instance that has answered last, in each lane. */
  | { readonly do: 'kill' }
  | { readonly do: 'start missing' | 'restart instances' | 'freeze' | 'thaw' | 'rotate' }
  /** While visitors click. */
  | { readonly do: 'restart store' | 'fail over' }
  | {
      readonly do: 'move to a new store' | 'copy sessions' | 'unbind old store' | 'remove old store'
      readonly visitors: readonly string[]
    }
  /** One visitor opens so many slow pages at once; another clicks meanwhile. */
  | { readonly do: 'open slow pages'; readonly times: number; readonly seconds: number }
)
