export interface Stored {
  data: string | undefined
  lock: string | undefined
  /** The tokens of the waiters; in lower case once the time is over until which each is taken to wait. */
  waiters: string
  calls: number
  /** What requests were answered at their end, by their tokens. */
  done: Record<string, string>
  /** The first letters of the keys that have no time to live. */
  forever: string
}

export const keys = ['data', 'lock', 'waiters', 'calls']

/** The few commands that the scripts use. There is no clock: a key with a time to live may expire at any moment. */
export class Redis {
  hasWritten = false

  private readonly stored: Stored
  private readonly isLate: boolean

  constructor(stored: Stored, isLate: boolean) {
    this.stored = stored
    this.isLate = isLate
  }

  readonly call = (command: string, key = '', ...values: (string | number)[]): unknown => {
    const stored = this.stored
    const value = String(values[0])
    if (key.startsWith('done ')) return this.callDone(command, key.slice(5), values)
    switch (`${command} ${key}`) {
      // The script counts from one.
      case 'TIME ':
        return [0, this.isLate ? 2 : 0, 0]
      case 'GET data':
        return stored.data ?? false
      case 'GET lock':
        return stored.lock ?? false
      case 'SET lock':
        stored.lock = value
        return this.mark(key, values[1] !== 'PX')
      case 'ZADD waiters': {
        if (stored.waiters === '') this.mark(key, true)
        const token = String(values[1])
        stored.waiters = [...without(stored.waiters, token), token].sort().join('')
        return 1
      }
      case 'ZREM waiters':
        stored.waiters = without(stored.waiters, value)
        return stored.waiters === '' ? this.mark(key, false) : 1
      case 'ZREMRANGEBYSCORE waiters':
        stored.waiters = stored.waiters.replace(/[a-z]/g, '')
        return stored.waiters === '' ? this.mark(key, false) : 1
      case 'ZCARD waiters':
        return stored.waiters.length
      case 'LPUSH calls':
        if (stored.calls === 0) this.mark(key, true)
        return ++stored.calls
      case 'PEXPIRE waiters':
      case 'PEXPIRE calls':
        return this.mark(key, false)
      case 'SETEX data':
        stored.data = String(values[1])
        this.hasWritten = true
        return 'OK'
      case 'DEL data':
        stored.data = undefined
        this.hasWritten = true
        return 1
      case 'EXPIRE data':
        return stored.data === undefined ? 0 : 1
      case 'PTTL lock':
        return 1
      case 'DEL lock':
        stored.lock = undefined
        return this.mark(key, false)
      case 'DEL calls':
        stored.calls = 0
        return this.mark(key, false)
    }
    throw new Error(`the model knows no ${command} of ${key}`)
  }

  readonly pcall = this.call

  private callDone(command: string, token: string, values: (string | number)[]): unknown {
    const { done } = this.stored
    if (command === 'EXISTS') return token in done ? 1 : 0
    if (command === 'GET') return done[token] ?? false
    if (command !== 'SET') throw new Error(`the model knows no ${command} of a mark`)
    if (values[1] !== 'PX') this.stored.forever += `d${token}`
    done[token] = String(values[0])
    return 1
  }

  readonly sha1hex = hash

  private mark(key: string, isForever: boolean): number {
    const letter = key.charAt(0)
    this.stored.forever = this.stored.forever.replace(letter, '') + (isForever ? letter : '')
    return 1
  }
}

function without(waiters: string, token: string): string {
  return waiters.replace(new RegExp(token, 'i'), '')
}

/** A hash without collisions, as the handler takes SHA-1 to be. */
export function hash(data: string): string {
  return `#${data}`
}
