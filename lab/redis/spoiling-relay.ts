import { connect, createServer, type Socket } from 'node:net'
import { freePorts } from '../processes/ports.ts'

/** What becomes of one reply: whatever is written to the client in its place. */
export type Spoil = (client: Socket, reply: Buffer) => void

/** A relay to a server of RESP that spoils a reply when it is told to, and is honest else. */
export interface SpoilingRelay {
  readonly port: number
  /** Spoils the next reply that this applies to, once, or every one. */
  spoil(applies: (reply: Buffer) => boolean, spoil: Spoil, isOnce?: boolean): void
  /** Reads nothing more from any client; `false` reads on. */
  deafen(isDeaf: boolean): void
  /** Ends all connections and is honest again. */
  reset(): void
  stop(): Promise<void>
}

/** Starts one. On loopback, where one command is under way at a time, what arrives at once is one reply. */
export async function startSpoilingRelay(target: number): Promise<SpoilingRelay> {
  const clients = new Set<Socket>()
  let armed: { applies(reply: Buffer): boolean; spoil: Spoil; isOnce: boolean } | undefined
  let isDeaf = false
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port: target, host: '127.0.0.1', noDelay: true })
    clients.add(client)
    client.on('data', (command) => upstream.write(command))
    if (isDeaf) client.pause()
    upstream.on('data', (reply) => {
      const spoils = armed
      if (client.destroyed) return
      if (spoils === undefined || !spoils.applies(reply)) {
        client.write(reply)
        return
      }
      if (spoils.isOnce) armed = undefined
      spoils.spoil(client, reply)
    })
    client.on('close', () => clients.delete(client) && upstream.destroy()).on('error', () => {})
    upstream.on('close', () => client.destroy()).on('error', () => {})
  })
  const [port = 0] = await freePorts(1)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const reset = () => {
    armed = undefined
    isDeaf = false
    for (const client of clients) client.destroy()
  }
  return {
    port,
    spoil: (applies, spoil, isOnce = true) => {
      armed = { applies, spoil, isOnce }
    },
    deafen: (deaf) => {
      isDeaf = deaf
      for (const client of clients) deaf ? client.pause() : client.resume()
    },
    reset,
    stop: () => {
      reset()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
