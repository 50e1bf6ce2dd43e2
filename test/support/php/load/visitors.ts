import { setTimeout as sleep } from 'node:timers/promises'

/** A word, the session in which it was acknowledged, the visitor's session in the end, and when it was asked for. */
interface Lost extends Word {
  readonly session: string
}

interface Word {
  readonly word: string
  readonly id: string
  readonly asked: number
}

/** What became of the visitors' requests. */
export interface LoadReport {
  readonly requests: number
  /** The times at which requests failed, and what came instead of the page. */
  readonly failed: readonly { readonly at: number; readonly got: string }[]
  /** The words that a page has acknowledged, and that are not in the session in the end. */
  readonly lost: readonly Lost[]
  /** How many pages showed the session of another visitor. */
  readonly strangers: number
  /** How often a visitor got a new session. */
  readonly startedOver: number
  /** Sessions that could not be read in the end. */
  readonly stuck: number
  readonly longestMilliseconds: number
}

/** The managed handler has its login in a file; the path is empty where there is none. */
const LOGIN = `is_file($store = (string) get_cfg_var('php_sessions.store')) ? file_get_contents($store) : ''`
const WHERE = `ini_get('session.save_handler'), ' ', substr(sha1(ini_get('session.save_path') . (${LOGIN})), 0, 8)`
/** Each page that writes adds a word of six characters to its session, by which the test finds the update again. */
export const PAGES = {
  /** Adds a word; prints the session's first id, the word and the number of words, and at last PHP's settings. */
  count: `ini_set('display_errors', '1'); session_start() or exit; $word = substr(base64_encode(random_bytes(6)), 0, 6);
    $_SESSION['of'] ??= session_id(); $_SESSION['words'] = ($_SESSION['words'] ?? '') . "$word "; usleep(2000);
    ['of' => $of, 'words' => $words] = $_SESSION; session_write_close();
    echo "$of $word ", strlen($words) / 7, ' ', ${WHERE}, ' served';`,
  /** Prints all words of the session. */
  all: `session_start() or exit; echo $_SESSION['of'] ?? 'nobody', ' ', $_SESSION['words'] ?? '', 'served';`,
} as const

/** Asks for one of PAGES, and keeps the visitor's cookie. */
export type AskPage = (page: keyof typeof PAGES) => Promise<string>

interface Session {
  readonly ask: AskPage
  id: string
  readonly words: Word[]
}

const PAUSE_MILLISECONDS = 20

/**
 * Starts visitors who ask for `count`, each again and again until stopped. A page that is not complete is a failure.
 * Each visitor has a session; `together` more visitors share one. In the end each session is asked for `all`.
 */
export function startLoad(makeVisitor: () => AskPage, visitors: number, together = 0) {
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
    const asked = Date.now()
    const [, id, word = '', now = ''] =
      (await ask(session, 'count', /(\S+) (\S{6}) \d+ (\S+ \S+) served$/)) ?? []
    if (id === undefined) return
    if (session.id !== '' && session.id !== id) {
      if (sessions.some((other) => other.id === id)) strangers++
      else startedOver++
    }
    session.id = id
    session.words.push({ word, id, asked })
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
    // Several visitors only after the first one has the cookie that they share.
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
    const lost = id === undefined ? [] : session.words.filter(({ word }) => !kept.has(word))
    return lost.map((word) => ({ session: session.id, ...word }))
  }
  const running = Array.from({ length: visitors }, () => run(1))
  if (together > 0) running.push(run(together))
  return {
    /** The settings that the last page has printed, as two words. */
    settings: () => settings,
    failures: () => failed.length,
    /** The ids of the sessions; the last one is the shared session, if there is one. */
    sessions: () => sessions.map(({ id }) => id),
    stop: async (): Promise<LoadReport> => {
      isOver = true
      await Promise.all(running)
      const lost = (await Promise.all(sessions.map(lostOf))).flat()
      return { requests, failed, lost, strangers, startedOver, stuck, longestMilliseconds }
    },
  }
}
