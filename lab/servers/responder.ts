import { connect, createServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'

/** What becomes of a command: bytes in place of a reply, or something that is none. */
export type Reply = string | 'CLOSE' | 'SILENCE' | 'DRIP' | undefined

/** Gives the reply to a command, in capitals; undefined hands it on to the server behind. `isLine`: it came as a line. */
export type Answers = (command: string, isLine: boolean) => Reply

/** Replies so to every command. */
export const always =
  (reply: Reply): Answers =>
  () =>
    reply

/** Replies so to the commands that match. */
export const to =
  (pattern: RegExp, reply: Reply): Answers =>
  (command) =>
    pattern.test(command) ? reply : undefined

export interface ResponderOptions {
  /** The port of the server behind; without one, a command that gets no reply gets silence. */
  readonly behind?: number
  /** A key and a certificate, in PEM, for TLS. */
  readonly tls?: { readonly key: string; readonly cert: string }
}

/** A server on 127.0.0.1 that says what a Redis, a Memcached or a proxy may say, but a test cannot make it say. */
export interface Responder {
  readonly port: number
  stop(): Promise<void>
}

const DRIP_MILLISECONDS = 200

export async function startResponder(
  answers: Answers,
  { behind, tls }: ResponderOptions = {},
): Promise<Responder> {
  const sockets = new Set<Socket>()
  const serve = (client: Socket) => {
    sockets.add(client)
    const upstream = behind === undefined ? undefined : connect({ port: behind, host: '127.0.0.1' })
    upstream?.on('data', (reply) => client.write(reply)).on('error', () => client.destroy())
    upstream?.on('close', () => client.destroy())
    client.on('error', () => {}).on('close', () => upstream?.destroy())
    client.on('data', (bytes: Buffer) => {
      const text = bytes.toString('latin1')
      const reply = answers(commandIn(text).toUpperCase(), !text.startsWith('*'))
      if (reply === undefined) upstream?.write(bytes)
      else if (reply === 'CLOSE') client.destroy()
      else if (reply === 'DRIP') drip(client)
      else if (reply !== 'SILENCE') client.write(reply, 'latin1')
    })
  }
  const server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return {
    port,
    stop: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** The first word of a command in RESP, or of a line. What a client sends at once is one command. */
function commandIn(text: string): string {
  return (/^\*\d+\r\n\$\d+\r\n([^\r]*)/.exec(text) ?? /^(\S*)/.exec(text))?.[1] ?? ''
}

function drip(client: Socket): void {
  client.write('+')
  const timer = setInterval(() => client.write('x'), DRIP_MILLISECONDS)
  client.on('close', () => clearInterval(timer))
}
