import { setTimeout as sleep } from 'node:timers/promises'

/** What became of the visitors' requests. */
export interface Load {
  readonly requests: number
  /** When one failed, and what came instead of the page. */
  readonly failed: readonly { readonly at: number; readonly got: string }[]
  /** What a page has acknowledged, by its word, and is not in the session in the end. */
  readonly lost: readonly { readonly session: string; readonly word: string }[]
  /** Pages with what is in the session of another visitor. */
  readonly strangers: number
  /** Visitors, counted each time, who were given a new session. */
  readonly startedOver: number
  /** Sessions that could not be read in the end. */
  readonly stuck: number
  readonly longestMilliseconds: number
}

const WHERE = `ini_get('session.save_handler'), ' ', substr(sha1(ini_get('session.save_path')), 0, 8)`
/** Words of six characters: which page has written, for whoever looks for it. */
export const PAGES = {
  /** Acknowledges what it has written: whose session it is, a new word in it, how many there are; then its settings, as one word. */
  count: `ini_set('display_errors', '1'); session_start() or exit; $word = substr(base64_encode(random_bytes(6)), 0, 6);
    $_SESSION['of'] ??= session_id(); $_SESSION['words'] = ($_SESSION['words'] ?? '') . "$word "; usleep(2000);
    ['of' => $of, 'words' => $words] = $_SESSION; session_write_close();
    echo "$of $word ", strlen($words) / 7, ' ', ${WHERE}, ' served';`,
  /** All words of the session. */
  all: `session_start() or exit; echo $_SESSION['of'] ?? 'nobody', ' ', $_SESSION['words'] ?? '', 'served';`,
} as const

/** Asks for one of PAGES, and keeps the visitor's cookie. */
export type Ask = (page: keyof typeof PAGES) => Promise<string>

interface Session {
  readonly ask: Ask
  id: string
  readonly words: string[]
}

const PAUSE_MILLISECONDS = 20

/**
 * Visitors who ask for `count` one time after the other until stopped; an honest page is told apart from an error.
 * Each has a session of its own; `together` more have one in common. In the end each session
 * is asked for `all`. `settings` is the last page's word for its own.
 */
export function startLoad(makeVisitor: () => Ask, visitors: number, together = 0) {
  let isOver = false
  let requests = 0
  let settings = ''
  let [strangers, startedOver, stuck, longestMilliseconds] = [0, 0, 0, 0]
  const failed: { at: number; got: string }[] = []
  const sessions: Session[] = []

  const ask = async (session: Session, page: keyof typeof PAGES, expected: RegExp) => {
    requests++
    const asked = Date.now()
    const got = await session.ask(page).catch(String)
    longestMilliseconds = Math.max(longestMilliseconds, Date.now() - asked)
    const found = expected.exec(got)
    if (found === null) failed.push({ at: Date.now(), got: got.slice(-300) })
    return found
  }
  const count = async (session: Session) => {
    const [, id, word = '', now = ''] =
      (await ask(session, 'count', /(\S+) (\S{6}) \d+ (\S+ \S+) served$/)) ?? []
    if (id === undefined) return
    if (session.id !== '' && session.id !== id) {
      if (sessions.some((other) => other.id === id)) strangers++
      else startedOver++
    }
    session.id = id
    session.words.push(word)
    settings = now
  }
  const run = async (size: number) => {
    const session = { ask: makeVisitor(), id: '', words: [] }
    sessions.push(session)
    const visit = async () => {
      while (!isOver) {
        await count(session)
        await sleep(PAUSE_MILLISECONDS)
      }
    }
    // Together only once there is a cookie that they can have in common.
    while (session.id === '' && !isOver) {
      await count(session)
      await sleep(PAUSE_MILLISECONDS)
    }
    await Promise.all(Array.from({ length: size }, visit))
  }
  const lostOf = async (session: Session) => {
    const [, id, words = ''] = (await ask(session, 'all', /(\S+) ((?:\S{6} )*)served$/)) ?? []
    if (id === undefined) stuck++
    else if (id !== session.id) startedOver++
    const kept = new Set(words.split(' '))
    const lost = id === undefined ? [] : session.words.filter((word) => !kept.has(word))
    return lost.map((word) => ({ session: session.id, word }))
  }
  const running = Array.from({ length: visitors }, () => run(1))
  if (together > 0) running.push(run(together))
  return {
    settings: () => settings,
    failures: () => failed.length,
    /** Whose sessions there are; the last one is that of those who are together. */
    sessions: () => sessions.map(({ id }) => id),
    stop: async (): Promise<Load> => {
      isOver = true
      await Promise.all(running)
      const lost = (await Promise.all(sessions.map(lostOf))).flat()
      return { requests, failed, lost, strangers, startedOver, stuck, longestMilliseconds }
    },
  }
}
