import type { Script } from './lua.ts'
import { hash, keys, Redis, type Stored } from './redis.ts'

/** A request. `at` is the step whose command it has sent and whose answer it waits for. */
export interface Client {
  at: 'taking' | 'waiting' | 'holding' | 'gone'
  how: 'first' | 'again' | 'woken'
  try: number
  read: string
  hasExpired: boolean
  hasReleased: boolean
  /** Woken, while the lock is still on its way to it. */
  isCalled: boolean
  /** How many more times it may lose its connection. */
  breaks: number
  writes: number
}

/** A command on its way to the server whose request no longer waits for the answer. */
export interface Ghost {
  client: number
  what: 'take' | 'pop' | 'release'
  how: Client['how']
  try: number
}

export interface State {
  stored: Stored
  clients: Client[]
  ghosts: Ghost[]
  /** The client that wrote the data last. */
  writer: number
  /** How many more clients may die. */
  deaths: number
}

export interface Model {
  take: Script
  release: Script
  /** What each client does with the session at the end of its request. */
  does: ('set' | 'delete' | 'nothing')[]
  /** The data that a client writes; two clients may write the same bytes. */
  write: (client: number, read: string) => string
  /** How many times each client may lose its connection. */
  breaks: number[]
  /** How many of the clients may die. */
  deaths: number
  /** Whether BLPOP ends by itself. */
  hasTimeout: boolean
}

export class Violation extends Error {}

export const names = 'ABC'

export const fresh: Client = {
  at: 'taking',
  how: 'first',
  try: 0,
  read: '',
  hasExpired: false,
  hasReleased: false,
  isCalled: false,
  breaks: 0,
  writes: 0,
}

export function start(model: Model): State {
  return {
    stored: { data: '0', lock: undefined, waiters: '', calls: 0, forever: '' },
    clients: model.does.map((_, index) => ({ ...fresh, breaks: model.breaks[index] ?? 0 })),
    ghosts: [],
    writer: -1,
    deaths: model.deaths,
  }
}

export function runTake(model: Model, state: State, { client, how, try: n }: Ghost): unknown[] {
  const token = names.charAt(client)
  const before = state.stored.lock
  const answer = model.take(new Redis(state.stored, false), keys, [token, '9', how, '1', '', '', String(n)])
  const isTaken = before !== token && state.stored.lock === token
  if (isTaken && how !== 'woken' && state.clients.some((other, i) => other.isCalled && i !== client)) {
    throw new Violation(`${token} overtakes another that was called`)
  }
  return answer
}

export function runRelease(model: Model, state: State, { client, try: n }: Ghost): unknown[] {
  const self = state.clients[client] as Client
  const what = model.does[client] as string
  const token = names.charAt(client)
  const before = state.stored.data ?? ''
  const data = what === 'set' ? model.write(client, self.read) : ''
  const redis = new Redis(state.stored, false)
  const answer = model.release(redis, keys, [token, what, '9', data, hash(self.read), '', String(n)])
  self.hasReleased = true
  const isRepeated = state.writer === client && before === data
  if (redis.hasWritten && !isRepeated) {
    state.writer = client
    self.writes++
    if (what === 'set' && before !== self.read)
      throw new Violation(`${token} overwrites what it has not read`)
    if (self.writes > 1) throw new Violation(`${token} does its ${what} twice`)
  }
  return answer
}

export function answered(model: Model, state: State, index: number, self: Client): void {
  const token = names.charAt(index)
  const request: Ghost = { client: index, what: 'take', how: self.how, try: self.try }
  const does = model.does[index]
  if (self.at === 'holding') {
    const [, done] = runRelease(model, state, request)
    const isDone =
      self.writes > 0 || (does === 'delete' ? state.stored.data === undefined : does === 'nothing')
    if (done === 1 && !isDone) {
      throw new Violation(`${token} is told that its ${does} was done, which it was not`)
    }
    if (done === 0 && model.does.length === 1) throw new Violation(`${token} is refused though it is alone`)
    self.at = 'gone'
    return
  }
  const [, got, data] = runTake(model, state, request)
  if (got !== 1 && self.isCalled) throw new Violation(`${token} was called and must wait`)
  if (got !== 1 && model.does.length === 1) throw new Violation(`${token} waits though it is alone`)
  self.isCalled = false
  self.try = 0
  self.at = got === 1 ? 'holding' : 'waiting'
  if (got === 1) Object.assign(self, { read: data || '', hasExpired: false })
}
