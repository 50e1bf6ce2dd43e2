import type { Broken, Client } from './client.ts'
import { type Answer, type Command, type Item, lineIn } from './server.ts'

// src/stores/memcached/handler/lock.php and memcached-session.php, step by step; what they do, this file must do.

const TRIES = 3
const getLock: Command = { name: 'get', key: 'lock' }
const getData: Command = { name: 'get', key: 'data' }

/** What a lock begins with: the token of its owner, and what that says of itself, which ends as the tokens of others. */
const markOf = ({ token }: Client) => `${token} !1|${token === 'A' ? 'B' : 'A'}`

export const written = ({ read = '', token }: Client) => `${read}${token}`

/** Sends the first commands. */
export function begin(self: Client, broken: Broken | undefined): void {
  exchange(self, { name: 'add', key: 'lock', value: self.does === 'native' ? '1' : markOf(self) }, broken)
}

function send(self: Client, at: Client['at'], sent: readonly Command[], isAgain = false): void {
  Object.assign(self, { at, sent, first: sent, answers: [], isAgain })
}

function exchange(self: Client, command: Command, broken: Broken | undefined): void {
  const isEarly = broken === 'reads the data first'
  send(self, 'bidding', isEarly ? [getData, command, getLock] : [command, getLock, getData])
}

function finish(self: Client, result: Client['result']): void {
  Object.assign(self, { at: 'gone', sent: [], answers: [], result })
}

/** A request that waits asks again; php-memcached's own handler knows nothing of lines. */
export function poll(
  self: Client,
  lock: Item | undefined,
  isPatient: boolean,
  broken: Broken | undefined,
): void {
  if (self.does === 'native') begin(self, broken)
  else look(self, lock, isPatient, broken)
}

/** A request that waits ends without its turn. */
export function giveUp(self: Client): void {
  send(self, 'leaving', [mark(self.token), getLock])
}

/** What a request does that has read the lock. `isPatient`: those before it have not taken their turn. */
function look(self: Client, lock: Item | undefined, isPatient: boolean, broken: Broken | undefined): void {
  const line = lineIn(lock)
  const place = line.waiting.indexOf(self.token)
  const isTurn = place < 0 ? line.waiting.length === 0 : place === 0 || isPatient
  const isFree = line.isFree && broken !== 'does not see marks'
  if (line.owner === self.token) {
    own(self, lock)
    send(self, 'fetching', [getData])
    if (broken === 'takes the lock and does not read') Object.assign(self, { at: 'holding', sent: [] })
  } else if (line.owner === '') begin(self, broken)
  else if (isFree && isTurn) {
    const value = [markOf(self), ...line.waiting.slice(place + 1)].join(' ')
    const number = broken === 'takes over without a number' ? undefined : lock?.number
    exchange(self, { name: number === undefined ? 'set' : 'cas', key: 'lock', value, number }, broken)
  } else if (place < 0) exchange(self, { name: 'append', key: 'lock', value: ` ${self.token}` }, broken)
  else Object.assign(self, { at: 'waiting', sent: [], answers: [] })
}

function own(self: Client, lock: Item | undefined): void {
  const isAwaited = lineIn(lock).waiting.length > 0
  Object.assign(self, { lockNumber: lock?.number ?? 0, isAwaited, isAlive: true })
}

function hold(self: Client, data: Item | undefined): void {
  Object.assign(self, {
    at: 'holding',
    sent: [],
    answers: [],
    read: data?.text,
    dataNumber: data?.number ?? 0,
  })
}

/** The end of a page: the data and the release leave in one write, if the lock has not ended. */
export function end(self: Client, broken: Broken | undefined): void {
  if (self.does === 'native') {
    const set: Command = { name: 'set', key: 'data', value: written(self) }
    send(self, 'releasing', [set, { name: 'delete', key: 'lock' }])
    return
  }
  if (!self.isAlive && broken !== 'writes without a number') {
    compare(self)
    return
  }
  const number = broken === 'deletes the lock without its number' ? undefined : self.lockNumber
  const release: Command[] = self.isAwaited
    ? passing(self, broken)
    : [{ name: 'delete', key: 'lock', number }]
  const changes = change(self, self.read !== undefined, self.dataNumber, broken)
  self.isWritten = changes.length === 0
  send(self, 'releasing', [...changes, ...release])
}

function passing({ token }: Client, broken: Broken | undefined): Command[] {
  return [...(broken === 'leaves no mark' ? [] : [mark(token)]), getLock]
}

export const mark = (token: string): Command => ({ name: 'append', key: 'lock', value: ` !${token}` })

function change(self: Client, isThere: boolean, number: number, broken?: Broken): Command[] {
  if (self.does === 'nothing') return []
  if (self.does === 'delete') return isThere ? [{ name: 'delete', key: 'data', number }] : []
  const value = written(self)
  if (broken === 'writes without a number') return [{ name: 'set', key: 'data', value }]
  return isThere ? [{ name: 'cas', key: 'data', value, number }] : [{ name: 'add', key: 'data', value }]
}

function compare(self: Client): void {
  send(self, 'comparing', [getData, getLock])
}

/** All answers are here. */
export function answered(self: Client, broken: Broken | undefined): void {
  const { at, answers } = self
  const last = answers.at(-1)
  const item = typeof last === 'object' ? last : undefined
  if (self.does === 'native') nativeAnswered(self, answers)
  else if (at === 'bidding') bade(self, broken)
  else if (at === 'fetching') hold(self, item)
  else if (at === 'releasing') {
    self.isWritten ||= answers[0] === true
    if (self.isAwaited) clear(self, item)
    else if (last === true) afterRelease(self)
    else send(self, 'passing', passing(self, broken))
  } else if (at === 'passing') clear(self, item)
  else if (at === 'leaving') clear(self, item, 'tidying')
  else if (at === 'tidying') finish(self, 'left')
  else if (at === 'clearing') afterRelease(self)
  else if (at === 'comparing') compared(self, broken)
  else if (at === 'repairing') {
    if (answers[0] === true || self.isWritten) finish(self, 'done')
    else if (++self.tries < TRIES) compare(self)
    else finish(self, 'refused')
  } else finish(self, 'refused')
}

function bade(self: Client, broken: Broken | undefined): void {
  const isEarly = broken === 'reads the data first'
  const items = self.answers.map((answer) => (typeof answer === 'object' ? answer : undefined))
  const [data, lock] = isEarly ? [items[0], items[2]] : [items.at(-1), items.at(-2)]
  const isRefused = broken === 'believes the answer to add' && self.answers[0] === false
  if (lineIn(lock).owner !== self.token) look(self, lock, false, broken)
  else if (isRefused) Object.assign(self, { at: 'waiting', sent: [], answers: [] })
  else {
    own(self, lock)
    hold(self, data)
  }
}

function clear(self: Client, lock: Item | undefined, next: 'clearing' | 'tidying' = 'clearing'): void {
  const line = lineIn(lock)
  const isLeft = line.isFree && line.waiting.length === 0
  if (isLeft) send(self, next, [{ name: 'delete', key: 'lock', number: lock?.number }])
  else if (next === 'tidying') finish(self, 'left')
  else afterRelease(self)
}

function afterRelease(self: Client): void {
  if (self.isWritten) finish(self, 'done')
  else compare(self)
}

function compared(self: Client, broken: Broken | undefined): void {
  const [data, lock] = self.answers.map((answer) => (typeof answer === 'object' ? answer : undefined))
  const line = lineIn(lock)
  const isOurs = line.owner === self.token
  const isMayBe = isOurs || line.owner === ''
  const isSame = data?.text === self.read || broken === 'does not compare the data'
  const isForgotten = data === undefined && (isOurs || self.isAlive)
  const wanted = self.does === 'delete' ? undefined : written(self)
  self.isWritten =
    self.does === 'nothing' || (data?.text === wanted && broken !== 'does not know its own write')
  const release: Command[] = !isOurs
    ? []
    : [line.waiting.length === 0 ? { name: 'delete', key: 'lock', number: lock?.number } : mark(self.token)]
  const isRefused = !self.isWritten && !((isForgotten || isSame) && isMayBe)
  const commands = self.isWritten || isRefused ? [] : change(self, data !== undefined, data?.number ?? 0)
  if (commands.length + release.length > 0)
    send(self, isRefused ? 'ending' : 'repairing', [...commands, ...release])
  else finish(self, isRefused ? 'refused' : 'done')
}

function nativeAnswered(self: Client, [first, , data]: readonly Answer[]): void {
  if (self.at === 'releasing') finish(self, 'done')
  else if (first === true) hold(self, typeof data === 'object' ? data : undefined)
  else Object.assign(self, { at: 'waiting', sent: [], answers: [] })
}

/** The connection is lost, or, where it is silent, the server has not answered in time. Gives what the request leaves. */
export function cut(self: Client, isSilent: boolean): readonly Command[] {
  const { at, isAgain } = self
  const leave = () => {
    finish(self, 'refused')
    return [mark(self.token)]
  }
  if (at === 'passing' || at === 'clearing') afterRelease(self)
  else if (at === 'releasing' && !isSilent) compare(self)
  else if (at === 'repairing' && ++self.tries < TRIES) compare(self)
  else if (isSilent || isAgain || at === 'repairing' || at === 'ending' || at === 'releasing') return leave()
  else if (at === 'bidding') {
    // A number counts only on its connection.
    send(
      self,
      at,
      self.first.filter(({ name }) => name !== 'cas'),
      true,
    )
  } else send(self, at, self.first, true)
  return []
}
