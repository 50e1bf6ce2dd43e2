import { onTestFinished } from 'vitest'
import type { PhpUnderTest } from '../php.ts'
import { cookieOf, startPhpWeb } from '../web.ts'

/** A page that counts the visits of its session, and prints which handler keeps it: `user` is the managed one. */
export const COUNT = `session_start(); echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1, ' ', ini_get('session.save_handler');`

/** Asks for a page this often, as one visitor; gives what it printed each time, and the log. */
export async function visitPage(underTest: PhpUnderTest, ini: string, page: string, times: number) {
  const web = await startPhpWeb(underTest, ini, `<?php ${page}`, 2)
  onTestFinished(web.stop)
  const texts: string[] = []
  let cookie = ''
  for (let i = 0; i < times; i++) {
    const response = await fetch(web.url, { headers: { cookie } })
    cookie = cookieOf(response) || cookie
    texts.push(await response.text())
  }
  return { texts, log: web.log }
}

/** Lets a visitor of COUNT start a session; gives a function that asks again as this visitor, and the log. */
export async function startVisiting(underTest: PhpUnderTest, ini: string, workers: number) {
  const web = await startPhpWeb(underTest, ini, `<?php ${COUNT}`, workers)
  onTestFinished(web.stop)
  const first = await fetch(web.url)
  const cookie = cookieOf(first)
  return { ask: async () => (await fetch(web.url, { headers: { cookie } })).text(), log: web.log }
}
