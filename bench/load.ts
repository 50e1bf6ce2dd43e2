import { askFpm } from '../lab/php/fastcgi.ts'

/** What a run of requests took. */
export interface Load {
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

/** Asks for a page as one of these visitors, in turn, so many times and so many at a time. */
export async function load(
  port: number,
  page: string,
  cookies: readonly string[],
  requests: number,
  atATime: number,
): Promise<Load> {
  let next = 0
  const took: number[] = []
  const start = performance.now()
  const client = async () => {
    while (next < requests) {
      const cookie = cookies[next++ % cookies.length]
      const before = performance.now()
      await askNumber(port, page, cookie)
      took.push(performance.now() - before)
    }
  }
  await Promise.all(Array.from({ length: atATime }, client))
  const perSecond = (requests / (performance.now() - start)) * 1000
  took.sort((a, b) => a - b)
  const at = (part: number) => took[Math.ceil(took.length * part) - 1] ?? Number.NaN
  return { perSecond, p50: at(0.5), p99: at(0.99) }
}

/** The number that a page prints; whatever else it prints ends the benchmark. */
export async function askNumber(port: number, page: string, cookie?: string): Promise<number> {
  const answer = await askFpm(port, page, cookie)
  const number = /\r\n\r\n(\d+)$/.exec(answer)?.[1]
  if (number === undefined || answer.startsWith('Status:')) throw new Error(`a page failed: ${answer}`)
  return Number(number)
}

/** Visitors who have a session; their cookies. */
export async function newVisitors(port: number, page: string, count: number): Promise<string[]> {
  const cookies: string[] = []
  for (let i = 0; i < count; i++) {
    const cookie = /^Set-Cookie: ([^;]+)/m.exec(await askFpm(port, page))?.[1]
    if (cookie === undefined) throw new Error(`a page gave no session: ${await askFpm(port, page)}`)
    cookies.push(cookie)
  }
  return cookies
}
