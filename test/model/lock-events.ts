import {
  answered,
  type Client,
  fresh,
  type Ghost,
  type Model,
  names,
  runRelease,
  runTake,
  type State,
  Violation,
} from './lock-model.ts'
import { keys, Redis, type Stored } from './redis.ts'

function copy(state: State): State {
  return {
    ...state,
    stored: { ...state.stored },
    clients: state.clients.map((client) => ({ ...client })),
    ghosts: [...state.ghosts],
  }
}

/**
 * Every event that may happen next, with its name. A command may take any time to arrive, which includes a frozen
 * server.
 */
export function* steps(model: Model, state: State): Generator<[string, (next: State) => void]> {
  for (const [index, { at, how, try: n, breaks }] of state.clients.entries()) {
    const name = names.charAt(index)
    const self = (next: State) => next.clients[index] as Client
    if (at === 'gone') continue
    const ghost: Ghost = { client: index, what: ghosts[at], how, try: n }
    if (at !== 'waiting')
      yield [`${name} ${at}, try ${n}`, (next) => answered(model, next, index, self(next))]
    if (at === 'waiting' && state.stored.calls > 0) {
      yield [
        `${name} is woken`,
        (next) => {
          pop(next)
          Object.assign(self(next), { at: 'taking', how: 'woken', isCalled: true })
        },
      ]
    }
    if (at === 'waiting' && model.hasTimeout) {
      yield [`${name} has waited`, (next) => Object.assign(self(next), { at: 'taking', how: 'again' })]
    }
    if (breaks > 0) {
      yield [
        `${name} ${at}: connection lost`,
        (next) => {
          self(next).breaks--
          next.ghosts.push(ghost)
          if (at !== 'waiting') Object.assign(self(next), n === 0 ? { try: 1 } : { at: 'gone' })
        },
      ]
    }
    if (state.deaths > 0) {
      yield [
        `${name} ${at}: dies`,
        (next) => {
          next.deaths--
          next.ghosts.push(ghost)
          self(next).at = 'gone'
        },
      ]
    }
  }
  for (const [index, ghost] of state.ghosts.entries()) {
    if (ghost.what === 'pop' && state.stored.calls === 0) continue
    yield [
      `${ghost.what} of ${names.charAt(ghost.client)} arrives late`,
      (next) => {
        next.ghosts.splice(index, 1)
        if (ghost.what === 'pop') pop(next)
        else (ghost.what === 'take' ? runTake : runRelease)(model, next, ghost)
      },
    ]
  }
  yield* expiries(model, state)
}

const ghosts = { taking: 'take', waiting: 'pop', holding: 'release' } as const

function pop(state: State): void {
  state.stored.calls--
}

function* expiries(model: Model, { stored }: State): Generator<[string, (next: State) => void]> {
  const { lock, waiters, calls, forever } = stored
  if (lock !== undefined && !forever.includes('l')) {
    yield [
      `lock ${lock} expires`,
      (next) => {
        next.stored.lock = undefined
        const client = names.indexOf(lock)
        const owner = next.clients[client]
        if (owner === undefined) return
        owner.hasExpired = true
        // A lock lives longer than a TAKE may be on its way: one that is still on its way is too late.
        next.ghosts = next.ghosts.filter((ghost) => ghost.client !== client || isInTime(model, ghost))
      },
    ]
  }
  for (const token of waiters.match(/[A-Z]/g) ?? []) {
    yield [
      `${token} is taken to wait no longer`,
      (next) => {
        next.stored.waiters = next.stored.waiters.replace(token, token.toLowerCase())
      },
    ]
  }
  if (waiters !== '' && !forever.includes('w')) {
    yield ['the set of waiters expires', (next) => Object.assign(next.stored, { waiters: '' })]
  }
  if (calls > 0 && !forever.includes('c')) {
    yield ['the call expires', (next) => Object.assign(next.stored, { calls: 0 })]
  }
}

/** Whether the script still runs a command that arrives after its latest time. */
function isInTime(model: Model, { what, how }: Ghost): boolean {
  if (what !== 'take') return true
  const unlocked: Stored = { data: '0', lock: undefined, waiters: '', calls: 0, forever: '' }
  return model.take(new Redis(unlocked, true), keys, ['A', '9', how, '1', '', '', '0'])[1] !== 3
}

/** The state after a step. Throws a violation if it is not a sound one. */
export function after(state: State, step: (next: State) => void): State {
  const next = copy(state)
  step(next)
  for (const [index, client] of next.clients.entries()) {
    if (next.stored.lock !== '@') client.isCalled = false
    const isOver = client.at === 'gone' && !next.ghosts.some((ghost) => ghost.client === index)
    if (isOver) Object.assign(client, fresh, { at: 'gone' })
  }
  const holders = next.clients.filter((one) => one.at === 'holding' && !one.hasExpired && !one.hasReleased)
  if (holders.length > 1) throw new Violation('two hold the lock')
  if (next.ghosts.length > 1) next.ghosts.sort((a, b) => (ghostKey(a) < ghostKey(b) ? -1 : 1))
  return next
}

function ghostKey({ client, what, how, try: n }: Ghost): string {
  return `${client}${what}${how}${n}`
}

export function keyOf({ stored, clients, ghosts, writer, deaths }: State): string {
  let key = `${stored.data},${stored.lock},${stored.waiters},${stored.calls},${stored.forever},${writer},${deaths}`
  for (const { at, how, try: n, read, hasExpired, hasReleased, isCalled, breaks, writes } of clients) {
    key += `|${at},${how},${n},${read},${hasExpired},${hasReleased},${isCalled},${breaks},${writes}`
  }
  for (const ghost of ghosts) key += `|${ghostKey(ghost)}`
  return key
}
