import { check, events, keyOf, type Model, type State, start, Violation } from './events.ts'

export interface Found {
  readonly states: number
  /** A violation that takes the fewest events, and in `trace` these events. */
  readonly violation?: string
  readonly trace: readonly string[]
}

/** Visits every state that can be reached, breadth first. Then checks that every request can still end. */
export function search(model: Model): Found {
  const states = [start(model)]
  const seen = new Map([[keyOf(states[0] as State), 0]])
  const cameFrom: [number, string][] = [[-1, '']]
  const before: number[][] = [[]]
  const ends: number[] = []
  const found = (violation: string, index: number, last: readonly string[] = []): Found => {
    const trace = [...last]
    for (let i = index; i > 0; i = cameFrom[i]?.[0] ?? 0) trace.unshift(cameFrom[i]?.[1] ?? '')
    return { states: states.length, violation, trace }
  }
  for (let index = 0; index < states.length; index++) {
    const state = states[index] as State
    if (state.clients.every(({ at }) => at === 'gone')) {
      ends.push(index)
      const isSound = state.clients.every(
        ({ result, hasLost }) => ['done', 'left'].includes(result) && !hasLost,
      )
      if (state.stored.lock !== undefined && isSound && (model.breaks ?? []).length === 0)
        return found('a lock is left', index)
    }
    for (const [name, step] of events(model, state)) {
      const next: State = {
        ...state,
        clients: state.clients.map((client) => ({ ...client })),
        late: [...state.late],
      }
      try {
        step(next)
        check(model, state, next)
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
  }
  const canEnd = new Set(ends)
  for (let open = ends; open.length > 0; ) {
    open = open
      .flatMap((index) => before[index] ?? [])
      .filter((index) => !canEnd.has(index) && canEnd.add(index))
  }
  const stuck = states.findIndex((_, index) => !canEnd.has(index))
  return stuck < 0 ? { states: states.length, trace: [] } : found('one waits for ever', stuck)
}
