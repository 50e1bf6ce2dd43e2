import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type ServerProcess, startServer } from '../../../lab/processes/server.ts'
import type { PhpUnderTest } from './php.ts'

/** A page that PHP's own web server serves. */
export interface PhpWeb extends Pick<ServerProcess, 'log' | 'stop'> {
  readonly url: string
}

/** Lines that PHP's web server logs about itself, on a busy machine after its first page, and about its visitors. */
export const SERVERS_OWN =
  /^number of workers must be larger than 1$|^\[[^\]]+\] (PHP \S+ Development Server .* started|127\.0\.0\.1:\d+ (Accepted|Closing|Closed without .*|\[\d+\]: GET \S+))$/

/** Starts PHP's own web server with one page and this many workers; this ini is all that PHP reads. */
export async function startPhpWeb(
  { php }: PhpUnderTest,
  ini: string,
  page: string,
  workers: number,
): Promise<PhpWeb> {
  const server = await startServer({
    name: 'php',
    ports: 1,
    command: ({ directory, ports: [port] }) => {
      const root = join(directory, 'app')
      mkdirSync(root)
      writeFileSync(join(root, 'index.php'), page)
      writeFileSync(join(directory, 'php.ini'), `display_errors=stderr\n${ini}`)
      return php.cli(['-c', directory, '-S', `127.0.0.1:${port}`, '-t', root], {
        PATH: process.env.PATH,
        PHP_INI_SCAN_DIR: root,
        PHP_CLI_SERVER_WORKERS: String(workers),
      })
    },
  })
  const [port = 0] = server.ports
  const rest = Number(php.version) < 8.2 ? wakeWorkers(port) : () => undefined
  const stop = () => {
    rest()
    return server.stop()
  }
  return { url: `http://127.0.0.1:${port}/`, log: server.log, stop }
}

const WAKING_MILLISECONDS = 50

/**
 * Connects to the web server now and then, and hangs up. A worker of PHP 8.1 may wait without end for a connection that
 * another one has taken, and meanwhile serves none of those that it has (php-src GH-9400). The next connection wakes it.
 */
function wakeWorkers(port: number): () => void {
  const knock = () => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.destroy())
    socket.on('error', () => undefined)
  }
  const timer = setInterval(knock, WAKING_MILLISECONDS)
  timer.unref()
  return () => clearInterval(timer)
}

/** The first cookie that a response sets, as the next request sends it; empty if there is none. */
export function cookieOf(response: Response): string {
  return response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
}

/**
 * Visits a page that counts its visits for the first time, then asks for it as that visitor or another, each time for at most
 * so many milliseconds: longer is a hang.
 */
export async function visitFirst({ url, log }: Pick<PhpWeb, 'url' | 'log'>, limitMilliseconds: number) {
  const first = await fetch(url)
  expect(await first.text()).toBe('served 1')
  const cookie = cookieOf(first)
  const ask = async (query = '', visitor = cookie) => {
    const signal = AbortSignal.timeout(limitMilliseconds)
    const response = await fetch(`${url}${query}`, { headers: { cookie: visitor }, signal })
    const { status, headers } = response
    return {
      status,
      retryAfter: headers.get('retry-after'),
      cookies: headers.getSetCookie(),
      text: await response.text(),
    }
  }
  // The last line is still being written, or empty.
  const lines = () => log().split('\n').slice(0, -1)
  const before = lines().length
  /** What PHP and php-sessions have logged since then. */
  const logged = () =>
    lines()
      .slice(before)
      .filter((line) => !SERVERS_OWN.test(line))
  return { ask, logged }
}
