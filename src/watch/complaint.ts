import type { Host } from '../host/host.ts'

const FIRST_PAUSE_SECONDS = 60
const LONGEST_PAUSE_SECONDS = 3600

/** Reports trouble at once, and while it lasts again after one minute, two, four and so on, at most an hour. */
export interface Complaint {
  /** Reports trouble. `text` is whole lines; the same text is the same trouble. */
  about(text: string): void
  /** Repeats the report when that is due. */
  again(): void
  /** Reports that the trouble is over, if there was any. */
  end(text: string): void
}

/** Makes a complaint that writes to stderr. */
export function makeComplaint(host: Host): Complaint {
  let current: string | undefined
  let since = 0
  let due = 0
  let pause = FIRST_PAUSE_SECONDS
  const again = () => {
    const now = host.now()
    if (current === undefined || now < due) return
    pause = Math.min(2 * pause, LONGEST_PAUSE_SECONDS)
    due = now + pause
    host.err(`${current}php-sessions: still failing after ${minutes((now - since) / 60)}\n`)
  }
  return {
    about: (text) => {
      if (text === current) return again()
      current = text
      since = host.now()
      pause = FIRST_PAUSE_SECONDS
      due = since + pause
      host.err(text)
    },
    again,
    end: (text) => {
      if (current !== undefined) host.err(text)
      current = undefined
    },
  }
}

function minutes(count: number): string {
  const rounded = Math.round(count)
  return rounded === 1 ? 'a minute' : `${rounded} minutes`
}
