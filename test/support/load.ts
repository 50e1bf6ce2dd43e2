import { setTimeout as sleep } from 'node:timers/promises'

/** What became of the visitors' requests. */
export interface Load {
  readonly requests: number
  /** When one failed, and what came instead of the page. */
  readonly failed: readonly { readonly at: number; readonly got: string }[]
  /** Visitors whose count started over, or missed a page. */
  readonly lost: number
}

/** A page that prints how many times this visitor was here, and then its settings, as one word. */
export const COUNT = `ini_set('display_errors', '1'); session_start() or exit; echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1, ' ',
  ini_get('session.save_handler'), ' ', substr(sha1(ini_get('session.save_path')), 0, 8), ' served';`

const PAUSE_MILLISECONDS = 20

/**
 * Visitors who ask for COUNT one time after the other until stopped; an honest page is told apart from an error.
 * `makeVisitor` gives what asks once, and keeps the visitor's cookie. `settings` is the last page's word for its own.
 */
export function startLoad(makeVisitor: () => () => Promise<string>, visitors: number) {
  let isOver = false
  let requests = 0
  let settings = ''
  const failed: { at: number; got: string }[] = []
  const visit = async () => {
    const ask = makeVisitor()
    let told = 0
    let isLost = false
    while (!isOver) {
      requests++
      const page = await ask().catch(String)
      const [, count, word = ''] = /(\d+) (\S+ \S+) served$/.exec(page) ?? []
      if (count === undefined) failed.push({ at: Date.now(), got: page.slice(-300) })
      else {
        isLost ||= Number(count) < told + 1
        told = Number(count)
        settings = word
      }
      await sleep(PAUSE_MILLISECONDS)
    }
    return isLost
  }
  const running = Array.from({ length: visitors }, visit)
  return {
    settings: () => settings,
    failures: () => failed.length,
    stop: async (): Promise<Load> => {
      isOver = true
      const lost = (await Promise.all(running)).filter(Boolean).length
      return { requests, failed, lost }
    },
  }
}
