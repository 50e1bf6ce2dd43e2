import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'

export interface Answer {
  readonly status: number
  readonly body: string
  readonly headers: IncomingMessage['headers']
  /** The instance that the lab's router or nginx has asked; undefined without them. */
  readonly servedBy: number | undefined
}

const PATIENCE_SECONDS = 300

/** A browser of one person: it keeps cookies by their names, and follows no redirects. */
export interface Visitor {
  readonly cookies: Map<string, string>
  get(path: string): Promise<Answer>
  post(path: string, form: Readonly<Record<string, string>>): Promise<Answer>
}

/** Makes a visitor without cookies; all paths are below `url`. After `patienceSeconds` a request fails. */
export function makeVisitor(url: string, patienceSeconds = PATIENCE_SECONDS): Visitor {
  const cookies = new Map<string, string>()
  const ask = async (method: string, path: string, form?: Readonly<Record<string, string>>) => {
    const headers: Record<string, string> = {}
    if (cookies.size > 0) headers.cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    if (form !== undefined) headers['content-type'] = 'application/x-www-form-urlencoded'
    // A new connection for each request: one that is kept open could lead to a stopped server.
    const signal = AbortSignal.timeout(patienceSeconds * 1000)
    const sent = request(new URL(path, url), { method, headers, agent: new Agent(), signal })
    sent.end(form === undefined ? undefined : new URLSearchParams(form).toString())
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    for (const line of response.headers['set-cookie'] ?? []) keepCookie(cookies, line)
    const servedBy = response.headers['x-served-by']
    return {
      status: response.statusCode ?? 0,
      body: await text(response),
      headers: response.headers,
      servedBy: servedBy === undefined ? undefined : Number(servedBy),
    }
  }
  return { cookies, get: (path) => ask('GET', path), post: (path, form) => ask('POST', path, form) }
}

function keepCookie(cookies: Map<string, string>, line: string): void {
  const [pair = '', ...attributes] = line.split(/;\s*/)
  const [name = '', ...value] = pair.split('=')
  const isOver = attributes.some((attribute) => /^max-age=(0|-)/i.test(attribute))
  if (isOver) cookies.delete(name)
  else cookies.set(name, value.join('='))
}
