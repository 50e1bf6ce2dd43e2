import { runInParallel } from '../../lab/load.ts'
import { cookieIn } from '../../lab/php/fastcgi.ts'

/** As many as the workers of the smallest pool that makes many. */
const NEW_AT_A_TIME = 8

/** How fast a run of requests was. */
export type Speed = Readonly<Record<'requests/s' | 'p50 ms' | 'p99 ms', number>>

/** Asks for one page; without a cookie as a new visitor. */
export type Ask = (cookie?: string) => Promise<string>

/** Asks for a page as each of these visitors in turn, this many times and this many at a time. */
export async function measureSpeed(
  ask: Ask,
  cookies: readonly string[],
  requests: number,
  atATime: number,
): Promise<Speed> {
  const took: number[] = []
  const start = performance.now()
  await runInParallel(requests, atATime, async (i) => {
    const before = performance.now()
    await askNumber(ask, cookies[i % cookies.length])
    took.push(performance.now() - before)
  })
  return speedOf(took, performance.now() - start)
}

/** The speed of requests that took so long each, and so long together. */
export function speedOf(took: readonly number[], milliseconds: number): Speed {
  const sorted = took.toSorted((a, b) => a - b)
  const at = (part: number) => sorted[Math.ceil(sorted.length * part) - 1] ?? Number.NaN
  return { 'requests/s': (took.length / milliseconds) * 1000, 'p50 ms': at(0.5), 'p99 ms': at(0.99) }
}

/** The number that a page prints; anything else that it prints ends the benchmark. */
export async function askNumber(ask: Ask, cookie?: string): Promise<number> {
  const answer = await ask(cookie)
  const number = /\r\n\r\n(\d+)$/.exec(answer)?.[1]
  if (number === undefined || answer.startsWith('Status:')) throw new Error(`a page failed: ${answer}`)
  return Number(number)
}

/** Makes visitors who have a session; gives their cookies. */
export async function newVisitors(ask: Ask, count: number): Promise<string[]> {
  const cookies: string[] = []
  await runInParallel(count, NEW_AT_A_TIME, async () => {
    const answer = await ask()
    const cookie = cookieIn(answer)
    if (cookie === undefined) throw new Error(`a page started no session: ${answer}`)
    cookies.push(cookie)
  })
  return cookies
}
