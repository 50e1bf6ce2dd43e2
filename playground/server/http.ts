import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { readLanes } from '../engine/lane-words.ts'
import type { Playground } from '../engine/playground.ts'
import { SCENES } from '../scenes/scenes.ts'
import type { Page } from './page.ts'
import type { Show } from './show.ts'
import type { Control } from './snapshot.ts'

const PUSH_MILLISECONDS = 250
const LARGEST_BODY = 10_000

export interface PageServer {
  readonly url: string
  stop(): Promise<void>
}

export interface PageServerOptions {
  /** Any free port if 0. */
  readonly port: number
  readonly instances: number
  readonly page: Page
}

/** Serves the page on the loopback interface, to pages of its own origin only. */
export async function startPageServer(
  playground: Playground,
  show: Show,
  options: PageServerOptions,
): Promise<PageServer> {
  const { page } = options
  const server = createServer((incoming, outgoing) => {
    answer(incoming, outgoing).catch(() => outgoing.destroy())
  })
  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { method, url, headers } = incoming
    // Another site whose name leads to 127.0.0.1 has another Host; a page of another site has another Origin.
    if (
      !hosts.includes(headers.host ?? '') ||
      (headers.origin !== undefined && headers.origin !== `http://${headers.host}`)
    )
      return end(outgoing, 403, 'this page is for your own browser only\n')
    if (method === 'GET' && url === '/') return end(outgoing, 200, page.html, page.headers)
    if (method === 'GET' && url === '/events') return push(outgoing)
    if (method !== 'POST') return end(outgoing, 404, 'there is no such page\n')
    if (headers['content-type'] !== 'application/json' || Number(headers['content-length']) > LARGEST_BODY)
      return end(outgoing, 415, 'expected a short text of JSON\n')
    const body = JSON.parse(await text(incoming))
    if (url === '/control') return control(outgoing, body)
    if (url === '/ask') return ask(outgoing, body)
    return end(outgoing, 404, 'there is no such page\n')
  }

  const control = (outgoing: ServerResponse, asked: Control) => {
    const lanes = readLanes(
      asked.do === 'open' ? asked.lanes : ['files'],
      options.instances,
      show.snapshot().isSticky,
    )
    const scene = SCENES.find(({ id }) => asked.do === 'play' && id === asked.scene)
    if (typeof lanes === 'string') return end(outgoing, 400, `${lanes}\n`)
    const isBegun = show.control(asked, lanes, scene)
    for (const send of readers) send()
    return isBegun
      ? end(outgoing, 202, String(show.changes))
      : end(outgoing, 409, `${show.snapshot().busy ?? 'something else'} is under way\n`)
  }

  const ask = async (
    outgoing: ServerResponse,
    asked: { readonly lane: string; readonly command: string },
  ) => {
    const lane = playground.lanes.find(({ id }) => id === asked.lane)
    const said = await lane?.ask(asked.command === 'doctor' ? 'doctor' : 'explain')
    return end(outgoing, 200, said ?? 'This lane has no php-sessions, or no instance is up.\n')
  }

  /** Sends what is new to a page that is open: some times a second, and at once what a control does. */
  const readers = new Set<() => void>()
  const push = (outgoing: ServerResponse) => {
    outgoing.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    let sent = -1
    let second = -1
    const send = () => {
      const snapshot = show.snapshot()
      // Who reads slowly gets fewer, never a queue.
      if ((show.changes === sent && snapshot.now === second) || outgoing.writableNeedDrain) return
      sent = show.changes
      second = snapshot.now
      outgoing.write(`data: ${JSON.stringify(snapshot)}\n\n`)
    }
    send()
    readers.add(send)
    const timer = setInterval(send, PUSH_MILLISECONDS)
    outgoing.once('close', () => {
      clearInterval(timer)
      readers.delete(send)
    })
  }

  server.listen(options.port, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`]
  return {
    url: `http://127.0.0.1:${port}/`,
    stop: async () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

function end(
  outgoing: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  outgoing
    .writeHead(status, {
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
      ...headers,
    })
    .end(body)
}
