import {
  answered,
  type Client,
  endWithoutLock,
  fresh,
  type Ghost,
  type Model,
  names,
  ownerIn,
  runRelease,
  runTake,
  type State,
  sentBy,
  Violation,
} from './lock-model.ts'
import { keys, Redis, type Stored } from './redis.ts'

function copy(state: State): State {
  return {
    ...state,
    stored: { ...state.stored, done: { ...state.stored.done } },
    clients: state.clients.map((client) => ({ ...client })),
    ghosts: [...state.ghosts],
  }
}

/**
 * Every event that may happen next, with its name. A command may take any time to arrive, which includes a frozen
 * server.
 */
export function* steps(model: Model, state: State): Generator<[string, (next: State) => void]> {
  for (const [index, client] of state.clients.entries()) {
    const { at, try: n, breaks } = client
    const name = names.charAt(index)
    const self = (next: State) => next.clients[index] as Client
    if (at === 'gone') continue
    const ghost = sentBy(index, client)
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
    if (at === 'waiting' && model.givesUp) {
      yield [
        `${name} has waited for too long`,
        (next) => {
          next.ghosts.push(ghost)
          endWithoutLock(model, self(next))
        },
      ]
    }
    if (breaks > 0) {
      yield [
        `${name} ${at}: connection lost`,
        (next) => {
          const lost = at === 'taking' ? 1 : 2
          self(next).breaks--
          next.ghosts.push(ghost)
          if (at === 'waiting') return
          if (n === 0) Object.assign(self(next), { try: 1, lost: Math.max(client.lost, lost) })
          else {
            self(next).at = 'gone'
            if (model.patience.outlastsTake) forgetLateTakes(model, next, index)
          }
        },
      ]
    }
    if (state.deaths > 0) {
      yield [
        `${name} ${at}: dies`,
        (next) => {
          next.deaths--
          next.ghosts.push(ghost)
          Object.assign(self(next), { at: 'gone', hasDied: true })
        },
      ]
    }
  }
  for (const [index, ghost] of state.ghosts.entries()) {
    if (ghost.command === 'pop' && state.stored.calls === 0) continue
    yield [
      `${ghost.command} of ${names.charAt(ghost.client)} arrives late`,
      (next) => {
        next.ghosts.splice(index, 1)
        if (ghost.command === 'pop') pop(next)
        else (ghost.command === 'take' ? runTake : runRelease)(model, next, ghost)
      },
    ]
  }
  yield* expiries(model, state)
}

function pop(state: State): void {
  state.stored.calls--
}

function* expiries(model: Model, { stored }: State): Generator<[string, (next: State) => void]> {
  const { lock, waiters, calls, forever } = stored
  if (lock !== undefined && !forever.includes('l')) {
    yield [
      `lock ${ownerIn(lock)} expires`,
      (next) => {
        next.stored.lock = undefined
        const client = names.indexOf(ownerIn(lock) ?? '')
        const owner = next.clients[client]
        if (owner === undefined) return
        owner.hasExpired = true
        // A lock lives longer than a TAKE may be on its way.
        forgetLateTakes(model, next, client)
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

/** A TAKE of this client that is still on its way is too late, if the script looks at the time. */
function forgetLateTakes(model: Model, state: State, client: number): void {
  state.ghosts = state.ghosts.filter((ghost) => ghost.client !== client || isInTime(model, ghost))
}

/** Whether the script still runs a command that arrives after its latest time. */
function isInTime(model: Model, { command, how }: Ghost): boolean {
  if (command !== 'take') return true
  const unlocked: Stored = { data: '0', lock: undefined, waiters: '', calls: 0, done: {}, forever: '' }
  const values = ['A', '9', how, '1', '0', '9', ' B', '', '0']
  return model.take(new Redis(unlocked, true), [...keys, 'done A'], values)[1] !== 3
}

/** The state after a step. Throws a violation if it is not a sound one. */
export function after(state: State, step: (next: State) => void): State {
  const next = copy(state)
  step(next)
  for (const [index, client] of next.clients.entries()) {
    if (next.stored.lock !== '@') client.isCalled = false
    const isOver = client.at === 'gone' && !next.ghosts.some((ghost) => ghost.client === index)
    if (isOver) {
      Object.assign(client, fresh, { at: 'gone' })
      // What is left of it tells nobody anything any more; that it has an end is checked here.
      if (next.stored.forever.includes(`d${names.charAt(index)}`)) throw new Violation('a mark has no end')
      delete next.stored.done[names.charAt(index)]
    }
  }
  const holders = next.clients.filter((one) => one.at === 'holding' && !one.hasExpired && !one.hasReleased)
  if (holders.length > 1) throw new Violation('two hold the lock')
  if (next.ghosts.length > 1) next.ghosts.sort((a, b) => (ghostKey(a) < ghostKey(b) ? -1 : 1))
  return next
}

function ghostKey({ client, command, how, what, isAsked, lost }: Ghost): string {
  return `${client}${command}${how}${what}${isAsked}${lost}`
}

export function keyOf({ stored, clients, ghosts, writer, deaths }: State): string {
  let key = `${stored.data},${stored.lock},${stored.waiters},${stored.calls},${stored.forever},${writer},${deaths}`
  for (const one of clients) {
    const {
      at,
      how,
      try: n,
      lost,
      what,
      isAsked,
      read,
      hasDied,
      hasExpired,
      hasReleased,
      isCalled,
      breaks,
      writes,
    } = one
    key += `|${at},${how},${n},${lost},${what},${isAsked},${read},${hasDied},${hasExpired},${hasReleased},${isCalled}`
    key += `,${breaks},${writes}`
  }
  for (const token of Object.keys(stored.done).sort()) key += `|${token}${stored.done[token]}`
  for (const ghost of ghosts) key += `|${ghostKey(ghost)}`
  return key
}
