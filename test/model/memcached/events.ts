import type { Broken, Client, Does } from './client.ts'
import { answered, begin, cut, end, giveUp, mark, poll, written } from './handler.ts'
import { type Command, lineIn, run, type Stored } from './server.ts'

export interface Model {
  /** What each request does with the session at its end. */
  readonly does: readonly Does[]
  /** Whether there is no session at first. */
  readonly isNew?: boolean
  readonly broken?: Broken | undefined
  /** How often each request may lose its connection. */
  readonly breaks?: readonly number[]
  /** Whether it gets no answer instead, and asks no more. */
  readonly isSilent?: boolean
  /** Whether a request that waits may end without its turn. */
  readonly isImpatient?: boolean
  /** How many requests may die, at any step. */
  readonly deaths?: number
  /** How often the lock may end by its time to live or be evicted, at any step. */
  readonly lockLosses?: number
  /** How often the data may be evicted. */
  readonly dataLosses?: number
}

export interface State {
  stored: Stored
  clients: Client[]
  /** What is still on its way to the server from requests that no longer wait for the answers. */
  late: { readonly client: number; readonly commands: readonly Command[] }[]
  deaths: number
  lockLosses: number
  dataLosses: number
  isDestroyed: boolean
}

export class Violation extends Error {}

export function start({
  does,
  isNew = false,
  broken,
  breaks = [],
  deaths = 0,
  lockLosses = 0,
  dataLosses = 0,
}: Model): State {
  const clients = does.map((what, index): Client => {
    const self: Client = {
      token: 'ABC'.charAt(index),
      does: what,
      at: 'bidding',
      sent: [],
      answers: [],
      first: [],
      isAgain: false,
      tries: 0,
      lockNumber: 0,
      dataNumber: 0,
      isAwaited: false,
      isAlive: false,
      read: undefined,
      isWritten: false,
      result: 'none',
      breaks: breaks[index] ?? 0,
      hasLost: false,
      writes: 0,
    }
    begin(self, broken)
    return self
  })
  const stored = { lock: undefined, data: isNew ? undefined : { text: '0', number: 1 }, last: 1 }
  return { stored, clients, late: [], deaths, lockLosses, dataLosses, isDestroyed: false }
}

type Event = readonly [name: string, step: (next: State) => void]

/** Every event that may happen next. A command may take any time to arrive, and what is late may never arrive. */
export function* events(model: Model, state: State): Generator<Event> {
  for (const [index, client] of state.clients.entries()) {
    const { token, at, sent } = client
    const of = (next: State) => next.clients[index] as Client
    const [command] = sent
    if (at === 'gone') continue
    if (command !== undefined) {
      yield [
        `${command.name} ${command.key} of ${token}`,
        (next) => {
          const self = of(next)
          self.sent = self.sent.slice(1)
          self.answers = [...self.answers, serve(next, index, command)]
          if (self.sent.length === 0) answered(self, model.broken)
        },
      ]
    }
    if (at === 'holding') yield [`${token} ends its page`, (next) => end(of(next), model.broken)]
    if (at === 'waiting') {
      yield [`${token} looks`, (next) => poll(of(next), next.stored.lock, false, model.broken)]
      if (lineIn(state.stored.lock).waiting.indexOf(token) > 0)
        yield [`${token} passes`, (next) => poll(of(next), next.stored.lock, true, model.broken)]
    }
    if (at === 'waiting' && model.isImpatient) yield [`${token} gives up`, (next) => giveUp(of(next))]
    if (client.breaks > 0 && sent.length > 0) {
      const { isSilent = false } = model
      yield [
        `${token} ${isSilent ? 'gets no answer' : 'loses its connection'}`,
        (next) => {
          const self = of(next)
          self.breaks--
          if (isSilent) self.hasLost = true
          const isTold = isSilent && model.broken !== 'sends no farewell'
          next.late.push({ client: index, commands: isTold ? [...sent, mark(token)] : sent })
          const leaving = cut(self, isSilent)
          if (leaving.length > 0) next.late.push({ client: index, commands: leaving })
        },
      ]
    }
    if (state.deaths > 0) {
      yield [
        `${token} dies`,
        (next) => {
          next.deaths--
          if (sent.length > 0) next.late.push({ client: index, commands: sent })
          Object.assign(of(next), { at: 'gone', sent: [], answers: [], result: 'died' })
        },
      ]
    }
  }
  for (const [index, { client, commands }] of state.late.entries()) {
    const [command, ...rest] = commands
    if (command === undefined) continue
    yield [
      `${command.name} ${command.key} of ${'ABC'.charAt(client)} arrives late`,
      (next) => {
        next.late.splice(index, 1, ...(rest.length > 0 ? [{ client, commands: rest }] : []))
        serve(next, client, command)
      },
    ]
  }
  yield* losses(model, state)
}

function* losses(model: Model, state: State): Generator<Event> {
  const { lock, data } = state.stored
  const owner = state.clients.find(({ token }) => token === lineIn(lock).owner)
  const isFaulty = (model.deaths ?? 0) + (model.lockLosses ?? 0) + (model.breaks ?? []).length > 0
  const isNobodys = owner === undefined ? !model.does.includes('native') : owner.at === 'gone'
  if (lock !== undefined && ((isFaulty && isNobodys) || state.lockLosses > 0)) {
    for (const how of isNobodys ? ['expires'] : ['expires', 'is evicted']) {
      yield [
        `the lock ${how}`,
        (next) => {
          if (!isNobodys) next.lockLosses--
          next.stored = { ...next.stored, lock: undefined }
          const self = next.clients.find(({ token }) => token === owner?.token)
          if (self !== undefined)
            Object.assign(self, { hasLost: true, isAlive: self.isAlive && how !== 'expires' })
        },
      ]
    }
  }
  if (data !== undefined && state.dataLosses > 0) {
    yield [
      'the data are evicted',
      (next) => {
        next.dataLosses--
        next.stored = { ...next.stored, data: undefined }
      },
    ]
  }
}

/** Runs a command of a request, and checks what it does to the session. */
function serve(state: State, index: number, command: Command) {
  const self = state.clients[index] as Client
  const before = state.stored
  const [answer, after] = run(before, command)
  state.stored = after
  const { owner, isFree, waiting } = lineIn(before.lock)
  const isNobodys = isFree && waiting.length === 0
  const isOwner = [self.token, self.does === 'native' ? '1' : ''].includes(owner)
  if (command.name === 'delete' && after.lock !== before.lock && !isOwner && !isNobodys)
    throw new Violation(`${self.token} releases the lock of another`)
  if (after.data === before.data) return answer
  const was = before.data?.text
  const isRepeated = was === written(self) && self.writes > 0
  if (was !== undefined && was !== self.read && !isRepeated)
    throw new Violation(`${self.token} overwrites what it has not read`)
  if (state.isDestroyed && was === undefined && (self.read !== undefined || self.writes > 0))
    throw new Violation(`${self.token} brings back a destroyed session`)
  if (command.name === 'delete') state.isDestroyed = true
  self.writes++
  return answer
}

export function check(model: Model, before: State, state: State): void {
  const holders = state.clients.filter(({ at, hasLost }) => at === 'holding' && !hasLost)
  if (holders.length > 1) throw new Violation('two hold the lock')
  const isAlone = state.clients.length === 1
  const isQuiet = keepsAll(model, state)
  for (const [index, self] of state.clients.entries()) {
    const was = before.clients[index]
    if (isAlone && self.at === 'waiting') throw new Violation(`${self.token} waits though it is alone`)
    if (self.at === 'holding' && was?.at !== 'holding' && self.read !== state.stored.data?.text)
      throw new Violation(`${self.token} has not read what is there`)
    const isOnTheWay = state.late.some(({ client }) => client === index)
    const { owner, isFree } = lineIn(state.stored.lock)
    if (model.isSilent && self.result === 'refused' && !isOnTheWay && owner === self.token && !isFree)
      throw new Violation(`${self.token} has gone and leaves its lock`)
    if (self.result === was?.result) continue
    if (self.result === 'done' && self.writes === 0 && (self.does === 'set' || self.does === 'native'))
      throw new Violation(`${self.token} is told that its ${self.does} was done, which it was not`)
    if (self.result === 'refused' && !self.hasLost && (isQuiet || isAlone))
      throw new Violation(`${self.token} is refused though it had the lock`)
  }
}

/** Whether nothing has failed yet that others may notice. */
function keepsAll({ breaks = [], deaths = 0, lockLosses = 0, dataLosses = 0 }: Model, state: State): boolean {
  const isKept = state.deaths === deaths && state.lockLosses === lockLosses && state.dataLosses === dataLosses
  return isKept && state.clients.every((self, index) => self.breaks === (breaks[index] ?? 0))
}

/** Two states are the same if the same can follow: of a number counts only whether it is still that of the item. */
export function keyOf({ stored, clients, late, deaths, lockLosses, dataLosses, isDestroyed }: State): string {
  const isNow = (key: 'lock' | 'data', number: number | undefined) =>
    number === undefined ? '-' : Number(number === stored[key]?.number)
  const words = (commands: readonly Command[]) =>
    commands.map(({ name, key, value, number }) => `${name}${key}${value}${isNow(key, number)}`).join()
  const seenBy = (answer: Client['answers'][number], key: 'lock' | 'data') =>
    typeof answer === 'object' ? `${key}${answer.text}${isNow(key, answer.number)}` : String(answer)
  const keys = clients.map((one) =>
    [
      `${one.at}${one.isAgain}${one.tries}${one.isAwaited}${one.isAlive}${one.read}${one.isWritten}${one.result}`,
      `${one.breaks}${one.hasLost}${one.writes}${isNow('lock', one.lockNumber)}${isNow('data', one.dataNumber)}`,
      words(one.sent),
      one.answers.map((answer, i) => seenBy(answer, one.first[i]?.key ?? 'lock')).join(),
    ].join(),
  )
  const ghosts = late.map(({ client, commands }) => `${client}${words(commands)}`).sort()
  const rest = `${stored.lock?.text}|${stored.data?.text}|${deaths}${lockLosses}${dataLosses}${isDestroyed}`
  return [rest, ...keys, ...ghosts].join('|')
}
