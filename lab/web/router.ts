import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'
import { buffer } from 'node:stream/consumers'

/** An instance, as the router needs to know it. */
export interface Backend {
  /** The value of the cookie `__VCAP_ID__`. */
  readonly id: string
  readonly index: number
  readonly port: number
}

export interface Router {
  readonly url: string
  readonly port: number
  /** The instances that have not yet refused a connection. */
  backends(): readonly Backend[]
  add(backend: Backend): void
  /** Sends it no more requests; settles when it has answered those that it has. */
  remove(id: string): Promise<void>
  /** Changes the names of the sticky cookies; none for a router that ties nobody to an instance. */
  stickTo(names: readonly string[]): void
  stop(): Promise<void>
}

export interface RouterOptions {
  readonly port?: number
  /** The names of cookies that tie a visitor to one instance, as an operator configures them. */
  readonly stickyCookies?: readonly string[]
  /** Is told of each request when it goes to an instance, and again when its answer is complete. */
  readonly onRequest?: (request: RoutedRequest) => void
}

/** A request on its way to an instance or, with `status`, back from it. */
export interface RoutedRequest {
  readonly number: number
  readonly method: string
  readonly path: string
  /** The index of the instance; undefined if none is up. */
  readonly instance: number | undefined
  readonly status?: number
}

/**
 * Starts a router that treats session cookies as Cloud Foundry's does.
 *
 * To a response that sets a sticky cookie it adds `__VCAP_ID__`. A request with both cookies goes to that instance
 * while it lives; every other request goes to the next instance in turn. The router forgets an instance that refuses
 * a connection.
 */
export async function startRouter(options: RouterOptions = {}): Promise<Router> {
  let sticky = options.stickyCookies ?? ['JSESSIONID']
  let count = 0
  let backends: readonly Backend[] = []
  let turn = 0
  const underWay = new Map<string, Set<Promise<unknown>>>()
  const remove = async (id: string) => {
    backends = backends.filter((backend) => backend.id !== id)
    await Promise.all(underWay.get(id) ?? [])
  }
  const noteUnderWay = (id: string, outgoing: ServerResponse) => {
    const all = underWay.get(id) ?? new Set()
    const over: Promise<unknown> = once(outgoing, 'close').then(() => all.delete(over))
    underWay.set(id, all.add(over))
  }
  const choose = (cookies: ReadonlyMap<string, string>) => {
    const wanted = sticky.some((name) => cookies.has(name)) ? cookies.get('__VCAP_ID__') : undefined
    return backends.find(({ id }) => id === wanted) ?? backends[turn++ % backends.length]
  }
  const route = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method = 'GET', url: path = '/' } = incoming
    const number = count++
    const tell = (instance: number | undefined, status?: number) =>
      options.onRequest?.({ number, method, path, instance, ...(status === undefined ? {} : { status }) })
    const body = await buffer(incoming)
    const cookies = readCookies(incoming.headers.cookie)
    for (let backend = choose(cookies); backend !== undefined; backend = choose(cookies)) {
      tell(backend.index)
      noteUnderWay(backend.id, outgoing)
      try {
        const response = await forward(incoming, body, backend)
        outgoing.writeHead(response.statusCode ?? 502, answerHeaders(response, backend, sticky))
        // An instance that dies in the middle of an answer ends it for the visitor, too.
        pipeline(response, outgoing, () => tell(backend.index, response.statusCode))
        return
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') {
          tell(backend.index, 502)
          outgoing.writeHead(502, { 'content-type': 'text/plain' }).end('the instance failed\n')
          return
        }
        void remove(backend.id)
      }
    }
    tell(undefined, 404)
    outgoing.writeHead(404, { 'content-type': 'text/plain' }).end('no instance is up\n')
  }
  const server = createServer((incoming, outgoing) => {
    route(incoming, outgoing).catch(() => outgoing.destroy())
  }).listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    backends: () => backends,
    add: (backend) => {
      backends = [...backends, backend]
    },
    remove,
    stickTo: (names) => {
      sticky = names
    },
    stop: async () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function forward(incoming: IncomingMessage, body: Buffer, { port }: Backend): Promise<IncomingMessage> {
  const { method, url, headers } = incoming
  const sent = request({ host: '127.0.0.1', port, method, path: url, headers, agent: false })
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return response
}

function answerHeaders(response: IncomingMessage, backend: Backend, sticky: readonly string[]) {
  const set = response.headers['set-cookie'] ?? []
  const isSticky = set.some((line) => sticky.some((name) => line.startsWith(`${name}=`)))
  const added = isSticky ? [`__VCAP_ID__=${backend.id}; Path=/; HttpOnly`] : []
  const { connection: _, 'keep-alive': __, 'transfer-encoding': ___, ...headers } = response.headers
  return { ...headers, 'set-cookie': [...set, ...added], 'x-served-by': String(backend.index) }
}

function readCookies(header = ''): ReadonlyMap<string, string> {
  const pairs = header.split(/;\s*/).map((pair) => pair.split('=') as [string, ...string[]])
  return new Map(pairs.map(([name, ...value]) => [name, value.join('=')]))
}
