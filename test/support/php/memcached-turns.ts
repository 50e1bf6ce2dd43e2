import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { runInParallel } from '../../../lab/load.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { PREFIX } from './managed-memcached.ts'
import type { PhpUnderTest } from './php.ts'
import { cookieOf, type PhpWeb, startPhpWeb } from './web.ts'

export const WORKERS = 10
export const REQUESTS = 200
// Five milliseconds between reading and writing, as a page needs. `?until` keeps the lock until a file is there.
const PAGE = `<?php if (isset($_GET['pid'])) file_put_contents($_GET['pid'], getmypid());
  session_start(); $_SESSION['turns'][] = $_GET['turn'] ?? 'none'; $n = $_SESSION['n'] ?? 0; usleep(5000); $_SESSION['n'] = $n + 1;
  while (isset($_GET['until']) && !file_exists($_GET['until'])) { usleep(1000); clearstatcache(); }
  echo isset($_GET['turns']) ? implode(',', $_SESSION['turns']) : $_SESSION['n'];`

export async function startWeb(underTest: PhpUnderTest, ini: string, workers = WORKERS): Promise<PhpWeb> {
  const web = await startPhpWeb(underTest, ini, PAGE, workers)
  onTestFinished(web.stop)
  return web
}

export const visit = async (url: string, cookie: string) => {
  const response = await fetch(url, { headers: { cookie } })
  return { status: response.status, text: await response.text() }
}

/** The cookie of a new visitor, and the key of the lock. */
export async function newVisitor({ url }: PhpWeb) {
  const first = await fetch(url)
  await first.text()
  const cookie = cookieOf(first)
  return { cookie, lock: `${PREFIX}lock.${cookie.split('=')[1]}` }
}

/** Waits until something holds of what is in the lock. */
export async function untilLock(
  expected: string,
  lock: () => Promise<string | undefined>,
  holds: (text: string) => boolean,
) {
  for (let tries = 0; !holds((await lock()) ?? ''); tries++) {
    if (tries > 600) throw new Error(`waited 30 s for ${expected}, and have ${await lock()}`)
    await sleep(50)
  }
}

/** Sends the requests of one visitor, ten at a time, to these web servers in turn; gives the count of the last page. */
export async function countInParallel(webs: readonly [PhpWeb, ...PhpWeb[]]) {
  const { cookie, lock } = await newVisitor(webs[0])
  const failed: unknown[] = []
  await runInParallel(REQUESTS, WORKERS, async (i) => {
    const answer = await visit(webs[i % webs.length]?.url ?? '', cookie)
    if (answer.status !== 200) failed.push(answer)
  })
  return { failed, count: Number((await visit(webs[0].url, cookie)).text), lock }
}

/** A visitor whose request holds the lock, until `release` is called. */
export async function startHolding(
  underTest: PhpUnderTest,
  ini: string,
  client: { get(key: string): Promise<{ value: string } | undefined> },
) {
  const web = await startWeb(underTest, ini)
  const { cookie, lock } = await newVisitor(web)
  const scratch = makeScratch('held')
  const [go, pidFile] = [join(scratch, 'go'), join(scratch, 'pid')]
  const lockText = async () => (await client.get(lock))?.value
  const holder = visit(`${web.url}?turn=0&until=${go}&pid=${pidFile}`, cookie)
  await untilLock('the lock to be held', lockText, (text) => text !== '')
  return {
    web,
    cookie,
    lock,
    lockText,
    holder,
    holderPid: () => Number(readFileSync(pidFile, 'utf8')),
    release: () => writeFileSync(go, ''),
  }
}
