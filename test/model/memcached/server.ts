/** A command of the managed handler. `number` is that of an item's last change; undefined for a command without one. */
export interface Command {
  readonly name: 'get' | 'add' | 'cas' | 'set' | 'append' | 'delete'
  readonly key: 'lock' | 'data'
  readonly value?: string
  readonly number?: number | undefined
}

export interface Item {
  readonly text: string
  readonly number: number
}

export type Answer = boolean | Item | undefined

/** What a Memcached holds of one session. There is no clock: what has a time to live may go at any moment. */
export interface Stored {
  readonly lock: Item | undefined
  readonly data: Item | undefined
  readonly last: number
}

/** Runs one command, as Memcached does; between two commands of one write those of others may run. */
export function run(stored: Stored, { name, key, value = '', number }: Command): [Answer, Stored] {
  const item = stored[key]
  if (name === 'get') return [item, stored]
  const isThere = name === 'add' ? item === undefined : name === 'set' || item !== undefined
  if (!isThere || (number !== undefined && number !== item?.number)) return [false, stored]
  const last = stored.last + 1
  if (name === 'delete') return [true, { ...stored, [key]: undefined }]
  const text = name === 'append' ? `${item?.text}${value}` : value
  return [true, { ...stored, [key]: { text, number: last }, last }]
}

export interface Line {
  readonly owner: string
  readonly isFree: boolean
  readonly waiting: readonly string[]
}

/** The line in a lock, as `Line` of the handler reads it. */
export function lineIn(lock: Item | undefined): Line {
  const [owner = '', ...tokens] = (lock?.text ?? '').split(' ')
  const gone = tokens.filter((token) => token.startsWith('!')).map((token) => token.slice(1))
  const waiting = tokens.filter((token) => !token.startsWith('!') && !gone.includes(token))
  return { owner, isFree: gone.includes(owner), waiting: [...new Set(waiting)] }
}
