import type { Answer, Command } from './server.ts'

/** A rule of the handler that is left out, which the search must find out. */
export type Broken =
  | 'writes without a number'
  | 'deletes the lock without its number'
  | 'takes over without a number'
  | 'believes the answer to add'
  | 'does not compare the data'
  | 'does not know its own write'
  | 'reads the data first'
  | 'leaves no mark'
  | 'does not see marks'
  | 'takes the lock and does not read'
  | 'sends no farewell'

export type Does = 'set' | 'delete' | 'nothing' | 'native'

/** A request. `at` is the step whose commands it has sent; what it has `sent` and not yet been answered is on its way. */
export interface Client {
  readonly token: string
  readonly does: Does
  at:
    | 'bidding'
    | 'waiting'
    | 'fetching'
    | 'holding'
    | 'releasing'
    | 'passing'
    | 'clearing'
    | 'comparing'
    | 'repairing'
    | 'ending'
    | 'leaving'
    | 'tidying'
    | 'gone'
  sent: readonly Command[]
  answers: readonly Answer[]
  /** All commands of this step, for a second try. */
  first: readonly Command[]
  isAgain: boolean
  tries: number
  lockNumber: number
  dataNumber: number
  isAwaited: boolean
  /** Whether its lock has not ended by its own clock. */
  isAlive: boolean
  read: string | undefined
  /** Whether the data were written; where not, what follows the release compares them. */
  isWritten: boolean
  result: 'none' | 'done' | 'refused' | 'left' | 'died'
  breaks: number
  /** What the model alone knows: its lock went while it had it; its writes that were done. */
  hasLost: boolean
  writes: number
}
