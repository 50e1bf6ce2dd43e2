import { after, keyOf, steps } from './lock-events.ts'
import { type Model, type State, start, Violation } from './lock-model.ts'

export interface Found {
  states: number
  /** A violation that takes the fewest events, and in `trace` these events. */
  violation?: string
  trace: string[]
}

/** Visits every state that can be reached, breadth first. Then checks that every waiter can still get the lock. */
export function search(model: Model): Found {
  const states: State[] = [start(model)]
  const seen = new Map([[keyOf(states[0] as State), 0]])
  const cameFrom: [number, string][] = [[-1, '']]
  const before: number[][] = [[]]
  const found = (violation: string, index: number, last: string[] = []): Found => {
    const trace = [...last]
    for (let i = index; i > 0; i = (cameFrom[i] as [number, string])[0]) {
      trace.unshift((cameFrom[i] as [number, string])[1])
    }
    return { states: states.length, violation, trace }
  }

  for (let index = 0; index < states.length; index++) {
    const state = states[index] as State
    let isEnd = true
    for (const [name, step] of steps(model, state)) {
      isEnd = false
      let next: State
      try {
        next = after(state, step)
      } catch (error) {
        if (error instanceof Violation) return found(error.message, index, [name])
        throw error
      }
      const key = keyOf(next)
      let to = seen.get(key)
      if (to === undefined) {
        to = states.push(next) - 1
        seen.set(key, to)
        cameFrom.push([index, name])
        before.push([])
      }
      before[to]?.push(index)
    }
    const { lock, waiters, calls } = state.stored
    const isFree = lock === undefined && waiters === '' && calls === 0
    if (isEnd && !(isFree && state.clients.every(({ at }) => at === 'gone'))) {
      return found('nothing moves any more', index)
    }
  }

  // A request that the handler refuses need not get the lock.
  if (model.isStrict || model.maxWaiting < model.does.length) return { states: states.length, trace: [] }
  for (const client of model.does.keys()) {
    const canHold = leadingTo(states, before, (state) => state.clients[client]?.at === 'holding')
    const stuck = states.findIndex(
      (state, i) => !canHold[i] && ['taking', 'waiting'].includes(state.clients[client]?.at ?? ''),
    )
    if (stuck >= 0) return found('one waits for ever', stuck)
  }
  return { states: states.length, trace: [] }
}

function leadingTo(states: State[], before: number[][], isGoal: (state: State) => boolean): boolean[] {
  const leads = states.map(isGoal)
  const open = [...states.keys()].filter((index) => leads[index])
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    for (const from of before[index] ?? []) {
      if (!leads[from]) {
        leads[from] = true
        open.push(from)
      }
    }
  }
  return leads
}
