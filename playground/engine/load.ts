import type { Lane } from './lane.ts'

/** Visitors of the load, who share its requests. */
const VISITORS = 20
/** More are not started: whoever measures a store that hangs must not run out of memory. */
const MOST_UNDER_WAY = 100
const TICK_MILLISECONDS = 50

/** Requests at a steady rate, over all lanes together, until `stop`. Each lane gets the same. */
export function startLoad(lanes: readonly Lane[], perSecond: number): { stop(): void } {
  const underWay = new Map(lanes.map((lane) => [lane, 0]))
  const began = performance.now()
  let sent = 0
  const timer = setInterval(() => {
    const due = Math.floor((((performance.now() - began) / 1000) * perSecond) / lanes.length)
    for (; sent < due; sent++) for (const lane of lanes) click(lane, sent)
  }, TICK_MILLISECONDS)
  const click = (lane: Lane, number: number) => {
    const now = underWay.get(lane) ?? 0
    if (now >= MOST_UNDER_WAY) return
    underWay.set(lane, now + 1)
    lane
      .shopper(`visitor ${(number % VISITORS) + 1}`)
      .click('visit')
      .finally(() => underWay.set(lane, (underWay.get(lane) ?? 1) - 1))
  }
  return { stop: () => clearInterval(timer) }
}
