import type { Script } from './lua.ts'
import { hash, keys, Redis, type Stored } from './redis.ts'

/** A request. `at` is the step whose command it has sent and whose answer it waits for. */
export interface Client {
  at: 'taking' | 'waiting' | 'holding' | 'leaving' | 'gone'
  how: 'first' | 'again' | 'woken'
  try: number
  /** A command of it that may have run or may still arrive: none, a TAKE, or a RELEASE. */
  lost: 0 | 1 | 2
  /** What it asks RELEASE to do. */
  what: string
  /** Whether it has been asked for the hash of what it read. */
  isAsked: boolean
  read: string
  hasDied: boolean
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
  command: 'take' | 'pop' | 'release'
  how: Client['how']
  what: string
  isAsked: boolean
  lost: Client['lost']
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
  does: ('set' | 'touch' | 'delete' | 'nothing')[]
  /** The data at first; undefined for a new session. */
  data: string | undefined
  /** The data that a client writes; two clients may write the same bytes. */
  write: (client: number, read: string) => string
  /** How many times each client may lose its connection. */
  breaks: number[]
  /** How many of the clients may die. */
  deaths: number
  /** Whether BLPOP ends by itself. */
  hasTimeout: boolean
  /** Whether a request may end while it waits, as the limit of its wait demands. */
  givesUp: boolean
  /** Whether the first request is served only if the session exists. */
  isStrict: boolean
  /** Whether clients send the hash of what they read without being asked, as earlier versions of the handler did. */
  sendsHash: boolean
  /** How many may wait. */
  maxWaiting: number
  /** What the handler does after a lost connection; without it, this is a fault that must be found. */
  patience: {
    /** Whether a request fails only when its TAKE is too late to run. */
    readonly outlastsTake: boolean
    /** Whether a request that ends without the lock says so. */
    readonly leaves: boolean
  }
}

export class Violation extends Error {}

export const names = 'ABC'

/** The token that a lock begins with. */
export function ownerIn(lock: string | undefined): string | undefined {
  return lock?.split(' ')[0]
}

export const fresh: Client = {
  at: 'taking',
  how: 'first',
  try: 0,
  lost: 0,
  what: '',
  isAsked: false,
  read: '',
  hasDied: false,
  hasExpired: false,
  hasReleased: false,
  isCalled: false,
  breaks: 0,
  writes: 0,
}

export function start(model: Model): State {
  return {
    stored: { data: model.data, lock: undefined, waiters: '', calls: 0, done: {}, forever: '' },
    clients: model.does.map((what, index) => ({
      ...fresh,
      what,
      isAsked: model.sendsHash,
      breaks: model.breaks[index] ?? 0,
    })),
    ghosts: [],
    writer: -1,
    deaths: model.deaths,
  }
}

export function runTake(model: Model, state: State, { client, how, lost }: Ghost): unknown[] {
  const token = names.charAt(client)
  const before = ownerIn(state.stored.lock)
  const answer = model.take(
    new Redis(state.stored, false),
    [...keys, `done ${token}`],
    [
      token,
      '9',
      how,
      '1',
      model.isStrict && client === 0 ? '1' : '0',
      String(model.maxWaiting),
      // Says of itself what begins as another's token.
      ` ${names.charAt((client + 1) % names.length)}`,
      '',
      String(lost),
    ],
  )
  const isTaken = before !== token && ownerIn(state.stored.lock) === token
  if (isTaken && how !== 'woken' && state.clients.some((other, i) => other.isCalled && i !== client)) {
    throw new Violation(`${token} overtakes another that was called`)
  }
  const self = state.clients[client] as Client
  if (isTaken && self.at === 'gone' && !self.hasDied) throw new Violation(`${token} locks for nobody`)
  return answer
}

export function runRelease(model: Model, state: State, { client, what, isAsked, lost }: Ghost): unknown[] {
  const self = state.clients[client] as Client
  const token = names.charAt(client)
  const before = state.stored.data ?? ''
  const data =
    what !== 'set' ? '' : model.does[client] === 'touch' ? self.read : model.write(client, self.read)
  const redis = new Redis(state.stored, false)
  const answer = model.release(
    redis,
    [...keys, `done ${token}`],
    [token, what, '9', data, isAsked ? hash(self.read) : '?', '', String(lost)],
  )
  if (answer[1] !== 2 && answer[1] !== 4) self.hasReleased = true
  const isRepeated = state.writer === client && before === data
  if (redis.hasWritten && !isRepeated) {
    if (self.writes > 0 && model.does[state.writer] === 'delete')
      throw new Violation(`${token} brings back a destroyed session`)
    state.writer = client
    self.writes++
    if (what === 'set' && before !== self.read)
      throw new Violation(`${token} overwrites what it has not read`)
    if (self.writes > 1) throw new Violation(`${token} does its ${what} twice`)
  }
  return answer
}

export function answered(model: Model, state: State, index: number, self: Client): void {
  const sent = sentBy(index, self)
  if (self.at === 'taking') taken(model, index, self, runTake(model, state, sent))
  else released(model, state, index, self, runRelease(model, state, sent))
}

/** The command whose answer a request waits for. */
export function sentBy(client: number, { at, how, what, isAsked, lost }: Client): Ghost {
  const command = ({ taking: 'take', waiting: 'pop' } as const)[at as string] ?? 'release'
  return { client, command, how, what: at === 'leaving' ? 'nothing' : what, isAsked, lost }
}

function taken(model: Model, index: number, self: Client, [, got, data]: unknown[]): void {
  const token = names.charAt(index)
  if (got !== 1 && self.isCalled) throw new Violation(`${token} was called and must wait`)
  const isRefused = got === 2 || got === 4
  if (got !== 1 && !isRefused && model.does.length === 1)
    throw new Violation(`${token} waits though it is alone`)
  self.isCalled = false
  self.try = 0
  if (isRefused) endWithoutLock(model, self)
  else if (got !== 1) self.at = 'waiting'
  else Object.assign(self, { at: 'holding', read: data || '', hasExpired: false })
}

/** A request whose TAKE may still arrive says that it has ended. */
export function endWithoutLock(model: Model, self: Client): void {
  self.at = self.lost > 0 && model.patience.leaves ? 'leaving' : 'gone'
}

function released(model: Model, state: State, index: number, self: Client, [, answer]: unknown[]): void {
  const token = names.charAt(index)
  if (self.at === 'leaving') {
    self.at = 'gone'
    return
  }
  if (answer === 2) {
    // The session has no data to touch: they are written.
    Object.assign(self, { what: 'set', try: 0, lost: Math.min(self.lost, 1) })
    return
  }
  if (answer === 4) {
    if (self.isAsked) throw new Violation(`${token} is asked twice`)
    Object.assign(self, { isAsked: true, try: 0, lost: Math.min(self.lost, 1) })
    return
  }
  const isWritten = self.what !== 'set' || (model.does[index] === 'touch' && self.read === '')
  const isDone = self.writes > 0 || (self.what === 'delete' ? state.stored.data === undefined : isWritten)
  if (answer === 1 && !isDone) {
    throw new Violation(`${token} is told that its ${self.what} was done, which it was not`)
  }
  if (answer === 0 && self.writes > 0) {
    throw new Violation(`${token} is told that its ${self.what} was not done, which it was`)
  }
  if (answer === 0 && model.does[index] === 'touch') {
    throw new Violation(`${token} is refused though it changed nothing`)
  }
  // Alone, it may not know whether a lost RELEASE was done, but only once its lock has gone.
  if (model.does.length === 1 && (answer === 0 || (answer === 3 && !self.hasExpired))) {
    throw new Violation(`${token} is refused though it is alone`)
  }
  self.at = 'gone'
}
