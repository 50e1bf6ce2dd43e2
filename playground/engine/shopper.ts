import { makeVisitor } from '../../lab/web/visitor.ts'
import { PROBE } from './app.ts'
import type { Action, Click, LaneEvent } from './events.ts'
import { Account, type Ledger } from './ledger.ts'

/** How long a visitor waits for a page. */
export const PATIENCE_SECONDS = 10

/** What the page of the playground answers. */
interface Answered {
  readonly user: string | null
  readonly updates: number
  readonly books: number
  readonly waited: number
  readonly handler: string
  readonly session: string
}

/** A visitor of a lane, who has logged in. */
export interface Shopper {
  readonly name: string
  readonly ledger: Readonly<Ledger>
  readonly cookies: ReadonlyMap<string, string>
  /** What the page has last said. */
  last(): Answered | undefined
  /** Clicks, and looks at what became of earlier clicks if no other is under way. A stranger logs in again at the next click. */
  click(action: Action, seconds?: number): Promise<Click>
  /** Clicks on `add` so many times at once, then looks. */
  clickInParallel(times: number): Promise<readonly Click[]>
  /** Opens so many slow pages at once. */
  openSlowPages(times: number, seconds: number): Promise<readonly Click[]>
  /** The instance that has answered last. */
  servedBy(): number | undefined
}

export function makeShopper(url: string, name: string, tell: (event: LaneEvent) => void): Shopper {
  const visitor = makeVisitor(url, PATIENCE_SECONDS)
  const account = new Account()
  let underWay = 0
  let overlaps = false
  let isLoggedIn = false
  let last: Answered | undefined
  let servedBy: number | undefined

  const note = (action: Action, answer: Answered) => {
    last = answer
    if (action === 'login') isLoggedIn = answer.user === name
    if (isLoggedIn && answer.user !== name) {
      isLoggedIn = false
      tell({ kind: 'lost', visitor: name, what: 'session', updates: account.forget() })
      return
    }
    if (action !== 'look' && isLoggedIn) account.acknowledge()
    // Another answer may be newer than this one while requests overlap.
    const updates = overlaps ? 0 : account.audit(answer.updates)
    if (updates > 0) tell({ kind: 'lost', visitor: name, what: 'updates', updates })
  }

  const ask = async (action: Action, seconds?: number): Promise<Click> => {
    const began = performance.now()
    overlaps ||= underWay > 0
    underWay++
    const query = new URLSearchParams({
      do: action,
      visitor: name,
      ...(seconds === undefined ? {} : { seconds: String(seconds) }),
    })
    const spent = () => Math.round(performance.now() - began)
    let click: Click
    try {
      const answered = await visitor.get(`/${PROBE}?${query}`)
      const { status, body } = answered
      servedBy = answered.servedBy
      const answer = status === 200 ? readAnswer(body) : undefined
      if (answer !== undefined) note(action, answer)
      click = {
        visitor: name,
        action,
        status,
        milliseconds: spent(),
        ...(servedBy === undefined ? {} : { instance: servedBy }),
        ...(answer === undefined ? {} : { waitedMilliseconds: answer.waited }),
        outcome:
          answer === undefined
            ? status === 503 || status === 429
              ? 'refused'
              : 'failed'
            : answer.user === name
              ? 'known'
              : 'stranger',
      }
    } catch {
      click = { visitor: name, action, status: 0, milliseconds: spent(), outcome: 'failed' }
    }
    underWay--
    overlaps &&= underWay > 0
    tell({ kind: 'click', click })
    return click
  }

  return {
    name,
    ledger: account.total,
    cookies: visitor.cookies,
    servedBy: () => servedBy,
    openSlowPages: (times, seconds) => Promise.all(Array.from({ length: times }, () => ask('slow', seconds))),
    last: () => last,
    click: async (action, seconds) => {
      if (!isLoggedIn && action !== 'login') await ask('login')
      return ask(action, seconds)
    },
    clickInParallel: async (times) => {
      if (!isLoggedIn) await ask('login')
      const clicks = await Promise.all(Array.from({ length: times }, () => ask('add')))
      return [...clicks, await ask('look')]
    },
  }
}

function readAnswer(body: string): Answered | undefined {
  try {
    return JSON.parse(body)
  } catch {
    return undefined // a warning of PHP in front of it
  }
}
