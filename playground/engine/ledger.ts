/**
 * What the app has promised a visitor: each answer with status 200 acknowledges an update. Updates that the session does not
 * have, seen while no request is under way, are lost.
 */
export interface Ledger {
  acknowledged: number
  lost: number
  loggedOut: number
}

/** A visitor's ledger of one session, and what was lost in all sessions before. */
export class Account {
  readonly total: Ledger = { acknowledged: 0, lost: 0, loggedOut: 0 }
  #inSession = 0
  #lostInSession = 0

  acknowledge(): void {
    this.total.acknowledged++
    this.#inSession++
  }

  /** Compares with what the session has; gives how many more updates are lost. */
  audit(has: number): number {
    const lost = Math.max(0, this.#inSession - has)
    const more = Math.max(0, lost - this.#lostInSession)
    this.#lostInSession += more
    this.total.lost += more
    return more
  }

  /** The visitor is a stranger: all that was acknowledged is gone. Gives how many more updates are lost. */
  forget(): number {
    const more = this.audit(0)
    this.total.loggedOut++
    this.#inSession = 0
    this.#lostInSession = 0
    return more
  }
}
